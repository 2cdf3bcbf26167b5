// When a worker is started again, and when the pool gives up for a while.
#include "pool/restart.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;
using bulkhead::RestartLimit;
using bulkhead::pool::Restart;
using Time = Restart::Time;
using Delay = std::chrono::nanoseconds;

constexpr Time start{std::chrono::hours(1)};
constexpr double no_jitter = 0.5;  // of [0, 1): the delay is neither shortened nor stretched
constexpr double least = 0.0, most = 0.999'999;
constexpr RestartLimit never_gives_up{.count = 0};

// Crashes one after the other, each right at the start: the delay after each.
std::vector<Delay> delays(std::size_t crashes, double chance) {
  Restart restart(never_gives_up);
  std::vector<Delay> found;
  for (Time now = start; found.size() < crashes; now += found.back())
    found.push_back(restart.unexplained(now, 0s, chance) - now);
  return found;
}

}  // namespace

TEST_CASE("A crash that a call explains is followed by a start at once") {
  CHECK(Restart::explained(start) == start);
}

TEST_CASE("Behind a spare that has taken over, a start leaves the calls a moment") {
  CHECK(Restart::behind_spare(start) == start + 2ms);
}

TEST_CASE("After crashes that nothing explains, workers start at once, then ever more slowly") {
  CHECK(delays(11, no_jitter) == std::vector<Delay>{0ms, 200ms, 400ms, 800ms, 1600ms, 3200ms,
                                                    6400ms, 12800ms, 25600ms, 30s, 30s});
}

TEST_CASE("The delays of several pools spread from half to one and a half") {
  // Later ones meet the limit of all delays.
  const auto usual = delays(8, no_jitter), shortest = delays(8, least), longest = delays(8, most);
  for (std::size_t i = 1; i < usual.size(); ++i) {
    CAPTURE(i);
    CHECK(shortest[i] == usual[i] / 2);
    CHECK(longest[i] < usual[i] * 3 / 2);
    CHECK(longest[i] > usual[i] * 149 / 100);
  }
  CHECK(longest[0] == 0s);
}

TEST_CASE("No delay is longer than half a minute, nor overflows, however many crashes there were") {
  const double chance = GENERATE(least, no_jitter, most);
  for (const Delay delay : delays(1000, chance)) {
    REQUIRE(delay <= Restart::longest_delay);
    REQUIRE(delay >= 0s);
  }
}

TEST_CASE("A worker that stayed up for half a minute has its earlier crashes forgiven") {
  struct Row {
    Delay uptime, expected;
  };
  const auto row = GENERATE(values<Row>({
      {0s, 800ms},
      {29'999ms, 800ms},
      {30s, 0s},
      {1h, 0s},
  }));
  CAPTURE(row.uptime.count());
  Restart restart(never_gives_up);
  for (int i = 0; i < 3; ++i) restart.unexplained(start, 0s, no_jitter);
  CHECK(restart.unexplained(start, row.uptime, no_jitter) - start == row.expected);
}

TEST_CASE("A worker that becomes ready does not shorten the delays of what keeps crashing") {
  Restart restart(never_gives_up);
  restart.unexplained(start, 0s, no_jitter);
  restart.ready();
  restart.unexplained(start, 1s, no_jitter);
  restart.ready();
  CHECK(restart.unexplained(start, 1s, no_jitter) - start == 400ms);
}

TEST_CASE("More crashes than the limit within its period break the pool for a while") {
  const unsigned count = GENERATE(1u, 2u, 5u, 100u);
  CAPTURE(count);
  Restart restart({.count = count, .period = 30s});
  Time now = start;
  for (unsigned i = 0; i < count; ++i, now += 10ms) {
    restart.unexplained(now, 0s, no_jitter);
    REQUIRE_FALSE(restart.broken());
  }
  CHECK(restart.unexplained(now, 0s, no_jitter) == now + 15s);
  CHECK(restart.broken());
}

TEST_CASE("Crashes that are spread wider than the period never break the pool") {
  struct Row {
    std::chrono::milliseconds apart;
    bool breaks;
  };
  const auto row = GENERATE(values<Row>({
      {5999ms, true},  // the sixth comes within 30 s of the first
      {6s, true},      // just so
      {6001ms, false},
      {1h, false},
  }));
  CAPTURE(row.apart.count());
  Restart restart({.count = 5, .period = 30s});
  bool broke = false;
  for (int i = 0; i < 1000 && !broke; ++i) {
    restart.unexplained(start + i * row.apart, 0s, no_jitter);
    broke = restart.broken();
  }
  CHECK(broke == row.breaks);
}

TEST_CASE("A limit of no crashes never gives up") {
  Restart restart({.count = 0, .period = 30s});
  for (int i = 0; i < 10'000; ++i) {
    restart.unexplained(start, 0s, no_jitter);
    REQUIRE_FALSE(restart.broken());
  }
  restart.try_again();
  restart.unexplained(start, 0s, no_jitter);
  CHECK_FALSE(restart.broken());
}

TEST_CASE("Periods at the ends of their range are periods like any other") {
  Restart restart({.count = 2, .period = GENERATE(0ms, std::chrono::milliseconds::max())});
  for (int i = 0; i < 2; ++i) {
    restart.unexplained(start, 0s, no_jitter);
    CHECK_FALSE(restart.broken());
  }
  restart.unexplained(start, 0s, no_jitter);
  CHECK(restart.broken());
}

TEST_CASE("A pool that gave up tries again after its pause") {
  Restart restart({.count = 1, .period = 30s});
  restart.unexplained(start, 0s, no_jitter);
  const Time again = restart.unexplained(start, 0s, no_jitter);
  REQUIRE(again == start + 15s);
  REQUIRE(restart.broken());
  restart.try_again();
  CHECK(restart.broken());  // until a worker is ready

  SECTION("if that fails, it gives up at once, again and again") {
    for (Time now = again; now < again + 1h;) {
      const Time next = restart.unexplained(now, 0s, no_jitter);
      REQUIRE(next == now + 15s);
      REQUIRE(restart.broken());
      restart.try_again();
      now = next;
    }
  }
  SECTION("if a worker gets ready, it is whole, and bears as many crashes as at first") {
    restart.ready();
    CHECK_FALSE(restart.broken());
    restart.unexplained(again, 0s, no_jitter);
    CHECK_FALSE(restart.broken());
    restart.unexplained(again, 0s, no_jitter);
    CHECK(restart.broken());
  }
}

TEST_CASE("The ends of other workers while the pool is broken do not mend it") {
  Restart restart({.count = 1, .period = 30s});
  for (int i = 0; i < 2; ++i) restart.unexplained(start, 0s, no_jitter);
  REQUIRE(restart.broken());
  for (int i = 0; i < 5; ++i) {
    restart.unexplained(start + 1s, 1h, no_jitter);
    CHECK(restart.broken());
  }
}
