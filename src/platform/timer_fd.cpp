#include "platform/timer_fd.hpp"

#include <sys/timerfd.h>

#include <algorithm>

namespace bulkhead::platform {

Fd timer_fd(std::chrono::steady_clock::time_point when) {
  Fd timer = above_stdio(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) throw_errno("cannot make a timer");
  // All zero would stop it.
  const auto since_start =
      std::max(when.time_since_epoch(), std::chrono::steady_clock::duration(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_start);
  itimerspec setting{};
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = std::chrono::nanoseconds(since_start - seconds).count();
  if (::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr) != 0)
    throw_errno("cannot set a timer");
  return timer;
}

}  // namespace bulkhead::platform
