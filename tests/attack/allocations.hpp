#pragma once

#include <cstddef>

namespace bulkhead::attack {

// The largest allocation by `new` in this process since it was told to forget those before.
std::size_t largest_allocation();
void forget_allocations();

}  // namespace bulkhead::attack
