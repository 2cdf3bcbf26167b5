// Whose turn it is when a loop falls asleep while others wake it. One thread at a time has the
// turn; it keeps it until it has really fallen asleep, so that nobody else looks at what it still
// uses.
#pragma once

#include <atomic>
#include <cstdint>

namespace bulkhead::worker {

class Nap {
 public:
  // By who has the turn: whoever wakes it from now on is heard.
  void begin() { state_ = State::dozing; }
  // By the same, when all is ready for it to be woken. False: somebody has, and it keeps the turn.
  [[nodiscard]] bool fall_asleep() {
    State expected = State::dozing;
    if (state_.compare_exchange_strong(expected, State::asleep)) return true;
    state_ = State::awake;
    return false;
  }
  // By the same, instead: it keeps the turn.
  void stay_awake() { state_ = State::awake; }

  // By anyone. True: whoever asks has the turn now.
  [[nodiscard]] bool wake() {
    State was = state_;
    while (true) {
      if (was == State::awake || was == State::called) return false;
      const State next = was == State::dozing ? State::called : State::awake;
      if (state_.compare_exchange_weak(was, next)) return was == State::asleep;
    }
  }

 private:
  enum class State : std::uint8_t {
    awake,
    dozing,  // nearly asleep
    called,  // woken since
    asleep,
  };
  std::atomic<State> state_ = State::awake;
};

}  // namespace bulkhead::worker
