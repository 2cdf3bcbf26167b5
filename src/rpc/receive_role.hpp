// Who receives from a connection: one thread at a time, whichever waits for an answer, else the
// reactor.
//
// Letting go must not lose a wake-up. Whoever receives says, before letting go, that the connection
// sleeps; from then on the peer rings for the reactor. If the reactor hears that bell while the
// role is not free yet, it is turned away, though nobody will look again. So it knocks, and whoever
// lets go asks for knocks after that: the one who does so second sees what the first has done.
#pragma once

#include <atomic>

namespace bulkhead::rpc {

class ReceiveRole {
 public:
  // For a thread that waits for an answer: turned away, it sleeps, and others receive for it.
  bool try_take() { return !taken_.exchange(true); }
  // For the reactor: turned away, it will be told to look again.
  bool try_take_or_knock() {
    if (try_take()) return true;
    knocked_.store(true);
    // Let go of before the knock was to be seen: then it is ours to take.
    return try_take();
  }
  // True: the reactor was turned away meanwhile, and is to look again.
  [[nodiscard]] bool let_go() {
    taken_.store(false);
    return knocked_.exchange(false);
  }

 private:
  // All operations are sequentially consistent: each side writes its word, then reads the other's.
  std::atomic<bool> taken_ = false;
  std::atomic<bool> knocked_ = false;
};

}  // namespace bulkhead::rpc
