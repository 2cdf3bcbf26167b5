// How long calls took, summed up.
#include "pool/latencies.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Latencies;
using namespace std::chrono_literals;

TEST_CASE("Without a call there is nothing to tell") {
  const auto summary = Latencies().summary();
  CHECK(summary.count == 0);
  CHECK(summary.p99 == 0ns);
  CHECK(summary.max == 0ns);
}

TEST_CASE("Percentiles are right to an eighth, over the whole range of times") {
  for (const std::int64_t unit : {1LL, 1000LL, 1'000'000LL, 3'600'000'000'000LL}) {
    Latencies latencies;
    for (std::int64_t i = 1; i <= 1000; ++i) latencies.add(std::chrono::nanoseconds(i * unit));
    const auto summary = latencies.summary();
    CHECK(summary.count == 1000);
    const auto is_near = [&](std::chrono::nanoseconds time, std::int64_t exact) {
      return time.count() >= exact * unit && time.count() <= exact * unit * 9 / 8 + 1;
    };
    CHECK(is_near(summary.p50, 500));
    CHECK(is_near(summary.p90, 900));
    CHECK(is_near(summary.p99, 990));
    CHECK(summary.max.count() == 1000 * unit);
  }
}

TEST_CASE("One that took no time, or less, counts as none") {
  Latencies latencies;
  latencies.add(0ns);
  latencies.add(-5ns);
  CHECK(latencies.summary().p99 == 0ns);
  CHECK(latencies.summary().count == 2);
}
