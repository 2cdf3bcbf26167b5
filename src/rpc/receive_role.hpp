// Who receives from a connection: one thread at a time, whichever waits for an answer, else the
// reactor.
//
// Letting go must not lose a wake-up. Whoever receives says, before letting go, that the connection
// sleeps; from then on the peer rings for the reactor. If the reactor hears that bell while the
// role is not free yet, it is turned away, though nobody will look again. So it knocks: one word
// says whether the role is taken and whether somebody has knocked, and whoever lets go learns both.
//
// A thread that takes one answer after another would make the peer ring, and the reactor come, each
// time that it lets go. So where more answers are due, or threads come often, it may leave the
// connection unattended: no one is rung for. The reactor makes its rounds while any connection is,
// and looks after those to which nobody has come back since the last.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

namespace bulkhead::rpc {

class ReceiveRole {
 public:
  // For a thread that waits for an answer: turned away, it sleeps, and others receive for it.
  bool try_take() {
    State seen = State::free;
    if (!state_.compare_exchange_strong(seen, State::taken)) return false;
    count_turn();
    return true;
  }
  // For the reactor: turned away, it will be told to look again.
  bool try_take_or_knock() { return take_or_ask(State::knocked); }
  // The same where whoever has it is to let go at once.
  bool try_take_or_demand() { return take_or_ask(State::demanded); }
  // For whoever has it: it is to let go.
  bool demanded() const { return state_.load(std::memory_order_relaxed) == State::demanded; }
  // True: the reactor was turned away meanwhile, and is to look again.
  [[nodiscard]] bool let_go() { return state_.exchange(State::free) != State::taken; }

  // By whoever has the role, before letting go: whether threads come again and again, some thousand
  // times a second. `tick` is of a clock that moves every few milliseconds.
  bool comes_often(std::chrono::steady_clock::time_point tick) {
    if (std::exchange(tick_, tick) != tick) often_ = std::exchange(turns_in_tick_, 0) >= many_turns;
    return ++turns_in_tick_ >= many_turns || often_;
  }
  // By whoever has the role. True if it was attended until now: the reactor is to make its rounds.
  bool leave_unattended() {
    if (unattended()) return false;
    unattended_.store(true);
    return true;
  }
  void attend() { unattended_.store(false); }
  bool unattended() const { return unattended_.load(); }
  // The reactor, on its rounds: true if nobody has come since the last.
  bool is_forsaken() {
    const std::uint32_t turns = turns_.load(std::memory_order_relaxed);
    return std::exchange(turns_at_last_round_, turns) == turns;
  }

 private:
  enum class State : std::uint32_t {
    free,
    taken,
    knocked,   // taken, and the reactor was turned away
    demanded,  // the same, and it is to be let go of at once
  };
  bool take_or_ask(State ask) {
    State seen = state_.load();
    while (!state_.compare_exchange_weak(seen,
                                         seen == State::free ? State::taken : std::max(seen, ask)))
      continue;
    if (seen != State::free) return false;
    count_turn();
    return true;
  }
  void count_turn() {
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  std::atomic<State> state_ = State::free;
  // Sequentially consistent, as the reactor's word that it makes rounds: each side writes its own,
  // then reads the other's.
  std::atomic<bool> unattended_ = false;
  std::atomic<std::uint32_t> turns_ = 0;   // how often it was taken
  std::uint32_t turns_at_last_round_ = 0;  // the reactor's

  static constexpr unsigned many_turns = 16;
  std::chrono::steady_clock::time_point tick_{};
  unsigned turns_in_tick_ = 0;
  bool often_ = false;
};

}  // namespace bulkhead::rpc
