// Something to be done at a time, unless it is stopped before. Lives on the reactor.
//
// It has a descriptor of its own, made and given to the kernel to watch with it, so that starting
// it cannot fail for want of either. Asio's timers share one, which they leave set when a wait is
// cancelled. An idle pool would wake up for a timeout that was called off long ago, and then every
// five minutes.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "platform/fd.hpp"
#include "platform/timer_fd.hpp"
#include "reactor/watch.hpp"

namespace bulkhead::reactor {

class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws std::system_error when there is no descriptor to be had, or none is watched any more.
  explicit Timer(Reactor& reactor) : fd_(platform::make_timer()), watch_(reactor) {
    watch_.hold(fd_);
  }

  // Calls `work` once, if `owner`, of which this is a part, is still there. Replaces what was to be
  // done before.
  template <class Owner, class Work>
  void start(Clock::time_point when, std::weak_ptr<Owner> owner, Work work) {
    platform::set_timer(fd_, when);
    watch_.resume(std::move(owner), [this, work = std::move(work)] {
      stop();
      work();
      return false;
    });
  }
  void stop() {
    watch_.pause();
    platform::stop_timer(fd_);
  }

 private:
  platform::Fd fd_;
  Watch watch_;  // ends before the descriptor does
};

}  // namespace bulkhead::reactor
