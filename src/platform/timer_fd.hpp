// A descriptor that becomes readable at a time.
#pragma once

#include <chrono>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// On the clock that nobody sets. A time that has passed is due at once.
Fd timer_fd(std::chrono::steady_clock::time_point when);

}  // namespace bulkhead::platform
