// A mutex for what is locked several times for each call, and seldom wanted by two threads at once:
// then one instruction locks it and one unlocks it. The C library's takes some forty for each,
// which is a twelfth of the time of a small call.
#pragma once

#include <atomic>
#include <cstdint>

namespace bulkhead::platform {

class Mutex {
 public:
  void lock() noexcept {
    State seen = State::free;
    if (state_.compare_exchange_strong(seen, State::held, std::memory_order_acquire)) return;
    // Whoever has waited does not know whether others still do.
    while (state_.exchange(State::wanted, std::memory_order_acquire) != State::free)
      state_.wait(State::wanted, std::memory_order_relaxed);
  }
  void unlock() noexcept {
    if (state_.exchange(State::free, std::memory_order_release) == State::wanted)
      state_.notify_one();
  }

 private:
  enum class State : std::uint32_t {
    free,
    held,
    wanted,  // held, and others may wait for it
  };
  std::atomic<State> state_ = State::free;
};

}  // namespace bulkhead::platform
