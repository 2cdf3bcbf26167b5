// How short calls are lately, as a rule: the answers between two of the reactor's rounds go in,
// whether to crowd calls onto a few workers comes out. No clock: a round is a millisecond.
//
// Waking a worker takes longer than a short call does, and more workers than cores take the cores
// from each other. A call that turns out to be long holds up those behind it for two rounds at
// most: a worker that has calls waiting and answered none in a round is stuck, and they go to
// others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bulkhead::pool {

class Flow {
 public:
  // At a round: how many answers there were so far, and how many calls run.
  // True if each worker that runs some has answered many since the last round.
  bool is_short(std::uint64_t answered, std::size_t running) {
    const std::uint64_t fresh = answered - answered_;
    answered_ = answered;
    return fresh >= many * (running > 0 ? running : 1);
  }

 private:
  static constexpr std::uint64_t many = 32;  // in a millisecond: 30 us each
  std::uint64_t answered_ = 0;
};

}  // namespace bulkhead::pool
