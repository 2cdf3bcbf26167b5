// Numbers that nobody can guess.
#pragma once

#include <array>
#include <cstdint>

namespace bulkhead::platform {

std::array<std::uint64_t, 2> random_128();

}  // namespace bulkhead::platform
