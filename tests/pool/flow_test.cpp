#include "pool/flow.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Flow;
using Crowd = Flow::Crowd;

namespace {

constexpr std::size_t cores = 2;

// Rounds of a pool that answers so many in each while its calls go to all, and while crowded.
struct Pool {
  std::uint64_t spread, crowded;
  std::size_t running;
  Flow flow{cores};
  std::uint64_t answered = 0;
  Crowd crowd = Crowd::none;

  Crowd round() {
    answered += crowd == Crowd::none ? spread : crowded;
    return crowd = flow.look(answered, crowd == Crowd::none ? running : cores);
  }
  int crowded_rounds_of(int rounds) {
    int count = 0;
    for (int i = 0; i < rounds; ++i) count += round() != Crowd::none;
    return count;
  }
};

}  // namespace

TEST_CASE("Calls are short when each busy worker answers many in a round") {
  Flow flow(cores);
  CHECK(flow.look(31, 1) == Crowd::none);
  CHECK(flow.look(31 + 32, 1) == Crowd::tight);
  CHECK(flow.look(63 + 32, 2) == Crowd::none);
  CHECK(flow.look(95 + 64, 2) == Crowd::tight);
  CHECK(flow.look(159, 1) == Crowd::none);
}

TEST_CASE("Without a call that runs, a few answers are no flow") {
  Flow flow(cores);
  CHECK(flow.look(0, 0) == Crowd::none);
  CHECK(flow.look(10, 0) == Crowd::none);
  CHECK(flow.look(100, 0) == Crowd::tight);
}

TEST_CASE("Many workers that only take the cores from each other are crowded") {
  Pool pool{.spread = 40, .crowded = 63, .running = 256};
  CHECK(pool.crowded_rounds_of(100) > 80);
  pool.crowded = 3000;
  CHECK(pool.round() == Crowd::tight);
}

TEST_CASE(
    "Many workers whose calls wait for something are left alone, but for a try now and then") {
  Pool pool{.spread = 400, .crowded = 10, .running = 256};
  CHECK(pool.crowded_rounds_of(20) > 0);
  CHECK(pool.crowded_rounds_of(10'000) < 200);
}

TEST_CASE("Calls that become long are given to all workers again") {
  Pool pool{.spread = 40, .crowded = 63, .running = 256};
  CHECK(pool.crowded_rounds_of(100) > 80);
  pool.crowded = 5;
  pool.crowded_rounds_of(3);
  CHECK(pool.round() == Crowd::none);
}

TEST_CASE("Rounds go on while many are busy") {
  Flow flow(cores);
  flow.look(10, 2);
  CHECK_FALSE(flow.undecided());
  flow.look(20, 256);
  CHECK(flow.undecided());
  flow.look(21, 256);
  CHECK_FALSE(flow.undecided());
}

TEST_CASE("A pool with few busy workers is not tried") {
  Pool pool{.spread = 40, .crowded = 63, .running = 4};
  CHECK(pool.crowded_rounds_of(1000) == 0);
  Pool idle{.spread = 1, .crowded = 1, .running = 256};
  CHECK(idle.crowded_rounds_of(1000) == 0);
}
