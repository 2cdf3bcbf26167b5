// The times of one thing that was done again and again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bulkhead::bench {

using Clock = std::chrono::steady_clock;

class Samples {
 public:
  void add(Clock::duration took) { nanoseconds_.push_back(static_cast<double>(took.count())); }

  // Of nothing, 0.
  double percentile_us(unsigned percent) {
    if (nanoseconds_.empty()) return 0;
    const auto at = nanoseconds_.begin() +
                    static_cast<std::ptrdiff_t>((nanoseconds_.size() - 1) * percent / 100);
    std::nth_element(nanoseconds_.begin(), at, nanoseconds_.end());
    return *at / 1e3;
  }
  double p50_us() { return percentile_us(50); }
  double p99_us() { return percentile_us(99); }
  double p50_ms() { return p50_us() / 1e3; }

 private:
  std::vector<double> nanoseconds_;
};

// Times `once`, `times` times over.
template <class Once>
Samples time_each(unsigned times, Once once) {
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    const auto start = Clock::now();
    once();
    samples.add(Clock::now() - start);
  }
  return samples;
}

}  // namespace bulkhead::bench
