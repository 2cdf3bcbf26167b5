// The machine itself, and this process on it.
#pragma once

#include <cstddef>
#include <stop_token>

#include "torture/findings.hpp"

namespace bulkhead::torture {

// Starts processes that only wait, kills them, and measures how long it takes until a pidfd tells.
void measure_machine(const std::stop_token& stop, Findings& findings);
// What such a process does.
[[noreturn]] void be_measured();

// Memory of this process that is its own alone, in KiB, after what is free was given back.
std::size_t own_memory();

}  // namespace bulkhead::torture
