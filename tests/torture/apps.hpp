// Applications that are killed at every stage of their lives, and of which nothing may be left.
#pragma once

#include <cstdint>
#include <optional>

#include "support/leftovers.hpp"
#include "torture/findings.hpp"

namespace bulkhead::torture {

// Kills so many, one after the other, and measures for each how long anything of it is left.
void kill_apps(std::uint64_t seed, std::size_t count, const test::Leftovers& leftovers,
               Findings& findings);

// An application that nobody kills. Names that killed ones could not remove, of this campaign or
// of others at the same time, go with it.
void run_next_app(Findings& findings);

// Such an application, when this process is told to be one: its exit code.
std::optional<int> be_app(int argc, char** argv);

}  // namespace bulkhead::torture
