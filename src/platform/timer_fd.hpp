// A descriptor that becomes readable at a time.
#pragma once

#include <chrono>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// On the clock that nobody sets. It is not running yet.
Fd make_timer();
// Replaces the time that it was set to. One that has passed is due at once.
void set_timer(const Fd& timer, std::chrono::steady_clock::time_point when) noexcept;
// It is not readable any more.
void stop_timer(const Fd& timer) noexcept;

}  // namespace bulkhead::platform
