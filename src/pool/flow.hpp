// How short calls are lately, as a rule: the answers between two of the reactor's rounds go in,
// onto how many workers to crowd calls comes out. No clock: a round is a millisecond.
//
// Waking a worker takes longer than a short call does, and more workers than cores take the cores
// from each other. A call that turns out to be long holds up those behind it for two rounds at
// most: a worker that has calls waiting and answered none in a round is stuck, and they go to
// others.
//
// Many workers that are busy may be so because their calls wait for something, or because they wait
// for a core. That is found out by trying, ever more seldom if it does not help.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace bulkhead::pool {

class Flow {
 public:
  explicit Flow(std::size_t cores) : cores_(std::max<std::size_t>(cores, 1)) {}

  enum class Crowd {
    none,      // calls go to all workers
    to_cores,  // onto as many as there are cores
    tight,     // one core is left to whoever asks
  };
  // At a round: how many answers there were so far, and how many calls run.
  Crowd look(std::uint64_t answered, std::size_t running) {
    const std::uint64_t fresh = answered - std::exchange(answered_, answered);
    if (fresh >= many * std::max<std::size_t>(running, 1)) return Crowd::tight;
    switch (state_) {
      case State::spread:
        return spread(fresh, running);
      case State::trying:
        return trying(fresh, running);
      case State::crowded:
        return crowded(fresh);
    }
    return Crowd::none;
  }
  // Whether many are busy, so that another round may tell more.
  bool undecided() const { return undecided_; }

 private:
  static constexpr std::uint64_t many = 32;  // in a millisecond: 30 us each
  static constexpr unsigned settling = 3, emptying = 64, measured = 4;  // rounds
  static constexpr unsigned soon = 8, seldom = 1024;
  enum class State { spread, trying, crowded };

  Crowd spread(std::uint64_t fresh, std::size_t running) {
    sum_ += fresh;
    undecided_ = running > 2 * cores_ && fresh >= cores_;
    if (!undecided_) return wait(soon);
    if (++rounds_ < pause_) return Crowd::none;
    before_ = sum_ / rounds_;
    return enter(State::trying, Crowd::to_cores);
  }
  // First the others have to do what they were given.
  Crowd trying(std::uint64_t fresh, std::size_t running) {
    const bool emptied = counted_ > 0 || running <= 2 * cores_ || rounds_ >= emptying;
    if (!emptied || ++rounds_ <= settling) {
      rounds_ += !emptied;
      return Crowd::to_cores;
    }
    sum_ += fresh;
    if (++counted_ < measured) return Crowd::to_cores;
    const std::uint64_t now = sum_ / measured;
    if (2 * now <= 3 * before_) return wait(std::min(2 * pause_, seldom));
    before_ = now;
    return enter(State::crowded, Crowd::to_cores);
  }
  // As long as it goes on like that.
  Crowd crowded(std::uint64_t fresh) {
    rounds_ = 2 * fresh < before_ ? rounds_ + 1 : 0;
    return rounds_ < settling ? Crowd::to_cores : wait(soon);
  }
  Crowd wait(unsigned pause) {
    pause_ = pause;
    return enter(State::spread, Crowd::none);
  }
  Crowd enter(State state, Crowd crowd) {
    state_ = state;
    rounds_ = counted_ = 0;
    sum_ = 0;
    return crowd;
  }

  const std::size_t cores_;
  std::uint64_t answered_ = 0;
  State state_ = State::spread;
  bool undecided_ = false;
  unsigned rounds_ = 0, counted_ = 0, pause_ = soon;
  std::uint64_t sum_ = 0, before_ = 0;  // answers in these rounds; in one, before this state
};

}  // namespace bulkhead::pool
