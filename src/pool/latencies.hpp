// How long calls took, as a histogram: eight steps for each doubling of nanoseconds, so that its
// size is fixed and a percentile is right to an eighth. Lives under the lock of its owner.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "bulkhead/stats.hpp"

namespace bulkhead::pool {

class Latencies {
 public:
  void add(std::chrono::nanoseconds time) {
    const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    ++counts_[step_of(nanoseconds)];
    ++count_;
    longest_ = std::max(longest_, nanoseconds);
  }

  Latency summary() const {
    return {.count = count_,
            .p50 = at_most(0.50),
            .p90 = at_most(0.90),
            .p99 = at_most(0.99),
            .max = nanoseconds(longest_)};
  }

 private:
  static constexpr std::size_t fine = 8, doublings = 64;

  static std::chrono::nanoseconds nanoseconds(std::uint64_t count) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
  }
  // Small numbers are steps of their own.
  static std::size_t step_of(std::uint64_t value) {
    if (value < 2 * fine) return value;
    const auto doubling = static_cast<std::size_t>(std::bit_width(value)) - 4;
    return doubling * fine + (value >> doubling);
  }
  // The largest value of a step.
  static std::uint64_t end_of(std::size_t step) {
    if (step < 2 * fine) return step;
    const std::size_t doubling = step / fine - 1;
    return ((fine + step % fine + 1) << doubling) - 1;
  }
  std::chrono::nanoseconds at_most(double share) const {
    const auto wanted =
        static_cast<std::uint64_t>(std::llround(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < counts_.size(); ++step)
      if ((seen += counts_[step]) >= std::max<std::uint64_t>(wanted, 1))
        return nanoseconds(std::min(end_of(step), longest_));
    return {};
  }

  std::array<std::uint64_t, fine * doublings> counts_{};
  std::uint64_t count_ = 0, longest_ = 0;
};

}  // namespace bulkhead::pool
