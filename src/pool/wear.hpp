// When a worker has served for long enough, as a rule: after so many calls, with so much memory, or
// at such an age. No I/O, no thread, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace bulkhead::pool {

class Wear {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Each may be zero: no limit.
  struct Limits {
    std::size_t requests = 0;
    std::size_t memory = 0, growth = 0;  // bytes, resident
    std::chrono::nanoseconds age = {};
    bool watch_memory() const { return memory > 0 || growth > 0; }
    bool any() const { return requests > 0 || watch_memory() || age.count() > 0; }
  };

  // Of a worker that got ready now. `chance` in [0, 1) makes the calls and the age up to a tenth
  // less than the limits say, so that workers which were started together do not leave together.
  Wear(const Limits& limits, Time now, double chance);

  // After how many answers it is worn.
  std::uint64_t answers() const { return answers_; }
  // When it is, if ever.
  std::optional<Time> end() const { return end_; }
  // The first reading is what it grows from.
  bool is_worn_by_memory(std::size_t resident);

 private:
  std::size_t memory_, growth_;
  std::uint64_t answers_ = std::numeric_limits<std::uint64_t>::max();
  std::optional<Time> end_;
  std::optional<std::size_t> first_reading_;
};

}  // namespace bulkhead::pool
