// How many lines of workers are logged, as a rule: so many in a second, and how many were not. No
// I/O, no thread, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace bulkhead::worker {

class LineRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds span{100};
  static constexpr unsigned in_a_span = 100;

  struct Answer {
    bool yes;
    std::uint64_t dropped;  // since the last time that this was told, once there is room again
  };
  Answer ask(Time now) {
    if (now >= end_) {
      end_ = now + span;
      asked_ = 0;
    }
    if (asked_ >= in_a_span) {
      ++dropped_;
      return {false, 0};
    }
    ++asked_;
    return {true, std::exchange(dropped_, 0)};
  }

 private:
  Time end_{};
  unsigned asked_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace bulkhead::worker
