// How often this program asks malloc for memory, on all threads.
#pragma once

#include <cstdint>
#include <functional>

namespace bulkhead::bench {

std::uint64_t allocations_in(const std::function<void()>& work);

}  // namespace bulkhead::bench
