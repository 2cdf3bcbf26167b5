// When to start a worker again, and when to give up for a while. Events and the time go in, the
// time of the next start comes out: no I/O, no thread, no clock.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "bulkhead/pool.hpp"

namespace bulkhead::pool {

class Restart {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds calm{2};
  static constexpr std::chrono::milliseconds first_delay{200};
  static constexpr std::chrono::seconds longest_delay{30};
  static constexpr std::chrono::seconds healthy_uptime{30};  // forgives earlier crashes
  static constexpr std::chrono::seconds pause{15};           // of a pool that gave up

  explicit Restart(RestartLimit limit) : limit_(limit) {}

  // A crash that a begun call explains: the call is to blame, the worker starts again at once.
  static Time explained(Time now) { return now; }

  // A spare has taken the place, whatever the crash: the calls that it was called up for go first,
  // and the start of another worker does not take a core from them.
  static Time behind_spare(Time now) { return now + calm; }

  // A crash that nothing explains: while starting, idle, or of the fork server. Gives the earliest
  // time of the next start of any worker. `chance` in [0, 1) spreads the delays of several pools.
  Time unexplained(Time now, std::chrono::nanoseconds uptime, double chance);

  // A worker became ready: the pool is whole again, its earlier delays still count.
  void ready() { broken_ = trying_again_ = false; }
  // The pause is over and a worker is started to see whether it works again.
  void try_again() { trying_again_ = broken_; }

  // Gave up: calls fail until a worker is ready again.
  bool broken() const { return broken_; }

 private:
  std::chrono::nanoseconds delay(double chance) const;

  RestartLimit limit_;
  std::deque<Time> recent_;  // unexplained crashes within the period
  unsigned in_a_row_ = 0;
  bool broken_ = false;
  bool trying_again_ = false;
};

}  // namespace bulkhead::pool
