// How long a side that waits may spin before it sleeps. A rule without a clock: times go in, times
// come out. Spinning makes an answer a hundred times faster when it is near, and burns a core for
// nothing when it is not; so it is earned, by how long the waits before took.
//
//   the peer was last seen on my core        0: it cannot run while I spin
//   waits took less than the limit lately    four times their average, at least 5 us
//   they took longer                         0, but every 8th time the whole limit, to find out
//                                            that answers are fast again
//
// Never more than the limit. For one thread at a time.
#pragma once

#include <chrono>

namespace bulkhead::ipc {

class SpinPolicy {
 public:
  using Time = std::chrono::nanoseconds;
  static constexpr Time longest = std::chrono::microseconds(50);  // the usual limit

  // How long the wait that begins may spin.
  Time budget(bool peer_on_my_core, Time limit = longest);
  // A wait is over that took this long, spinning and sleeping together.
  void waited(Time took);

 private:
  Time average_ = longest / 4;  // a new connection is given the benefit of the doubt
  bool probing_ = false;
  unsigned refused_ = 0;  // waits since the last probe
};

}  // namespace bulkhead::ipc
