// The figures of any subject.
#pragma once

#include <cstddef>

#include "samples.hpp"
#include "subject.hpp"

namespace bulkhead::bench {

constexpr unsigned open_calls = 256;
constexpr std::size_t mib = std::size_t{1} << 20;

// How long a run may take: a whole one gives figures, a quick one shows that all of it works.
struct Effort {
  bool quick = false;
  unsigned times(unsigned usual, unsigned when_quick) const { return quick ? when_quick : usual; }
};

// From the start to the first answer.
Samples time_starts(const StartSubject& start, unsigned times);
// One call at a time. One reading of the clock is included in each.
Samples time_calls(Subject& subject, unsigned calls);
// Calls a second with `open_calls` of them open: the best of some rounds, for what disturbs a round
// is not what is measured.
double throughput(Subject& subject, unsigned calls, unsigned rounds);
// A text of that size there and back.
Samples time_text(Subject& subject, std::size_t bytes, unsigned times);
// What it makes of 64 MiB: they were moved there and back.
inline double mb_per_s_64mib(double p50_us) { return 2 * static_cast<double>(64 * mib) / p50_us; }

}  // namespace bulkhead::bench
