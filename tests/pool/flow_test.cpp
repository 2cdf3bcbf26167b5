#include "pool/flow.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Flow;

TEST_CASE("Calls are short when each busy worker answers many in a round") {
  Flow flow;
  CHECK_FALSE(flow.is_short(31, 1));
  CHECK(flow.is_short(31 + 32, 1));
  CHECK_FALSE(flow.is_short(63 + 32, 2));
  CHECK(flow.is_short(95 + 64, 2));
  CHECK_FALSE(flow.is_short(159, 1));
}

TEST_CASE("Without a call that runs, a few answers are no flow") {
  Flow flow;
  CHECK_FALSE(flow.is_short(0, 0));
  CHECK_FALSE(flow.is_short(10, 0));
  CHECK(flow.is_short(100, 0));
}
