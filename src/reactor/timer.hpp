// Something to be done at a time, unless it is stopped before. Lives on the reactor.
//
// A descriptor of its own, while it runs: Asio's timers share one, which they leave set when a wait
// is cancelled. An idle pool would wake up for a timeout that was called off long ago, and then
// every five minutes.
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

  explicit Timer(Reactor& reactor) : watch_(reactor) {}

  // Calls `work` once, if `owner`, of which this is a part, is still there. Replaces what was to be
  // done before. Throws std::system_error when there is no descriptor to be had.
  template <class Owner, class Work>
  void start(Clock::time_point when, std::weak_ptr<Owner> owner, Work work) {
    stop();
    fd_ = platform::timer_fd(when);
    watch_.start(fd_, std::move(owner), [this, work = std::move(work)] {
      stop();
      work();
      return false;
    });
  }
  void stop() {
    watch_.stop();
    fd_.reset();
  }

 private:
  platform::Fd fd_;
  Watch watch_;  // ends before the descriptor does
};

}  // namespace bulkhead::reactor
