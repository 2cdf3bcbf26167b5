#include "platform/timer_fd.hpp"

#include <sys/timerfd.h>

#include <algorithm>

namespace bulkhead::platform {

Fd make_timer() {
  Fd timer = above_stdio(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) throw_errno("cannot make a timer");
  return timer;
}

void set_timer(const Fd& timer, std::chrono::steady_clock::time_point when) noexcept {
  // All zero would stop it.
  const auto since_start =
      std::max(when.time_since_epoch(), std::chrono::steady_clock::duration(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_start);
  itimerspec setting{};
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = std::chrono::nanoseconds(since_start - seconds).count();
  ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void stop_timer(const Fd& timer) noexcept {
  const itimerspec never{};
  ::timerfd_settime(timer.get(), 0, &never, nullptr);
}

}  // namespace bulkhead::platform
