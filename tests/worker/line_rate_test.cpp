// How many lines of workers are logged.
#include "worker/line_rate.hpp"

#include <catch2/catch.hpp>

using bulkhead::worker::LineRate;
using namespace std::chrono_literals;

TEST_CASE("So many lines are logged in a span, and then it is told how many were not") {
  LineRate rate;
  const LineRate::Time start{1h};
  for (unsigned i = 0; i < LineRate::in_a_span; ++i) CHECK(rate.ask(start).yes);
  for (int i = 0; i < 7; ++i) CHECK_FALSE(rate.ask(start + LineRate::span / 2).yes);
  const auto next = rate.ask(start + LineRate::span);
  CHECK(next.yes);
  CHECK(next.dropped == 7);
  CHECK(rate.ask(start + LineRate::span).dropped == 0);
}
