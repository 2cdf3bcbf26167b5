// Workers that are replaced because they have served for long enough.
#include <catch2/catch.hpp>
#include <set>

#include "faults/calls.hpp"
#include "faults/under_fire.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

bool has_recycled(const TestPool& pool, std::uint64_t count) {
  return wait_until([&] { return pool.stats().recycled >= count; });
}

}  // namespace

// Fault recycle.requests (many calls): workers have answered `recycle_after_requests` calls.
// Then: others take their places, one after the other, and no call is lost.
TEST_CASE("a worker that has answered so many calls is replaced, and no call is lost") {
  const LeakCheck leaks;
  const std::size_t spares = GENERATE(0u, 1u);
  TestPool pool{
      {.workers = 2, .spares = spares, .queue_limit = 10'000, .recycle_after_requests = 100}};
  std::set<pid_t> seen;
  std::uint64_t asked = 0;
  CHECK(wait_until([&] {
    std::vector<Future<std::pair<pid_t, std::uint64_t>>> calls;
    for (int i = 0; i < 200; ++i) calls.push_back(pool.run(WhoAmI{}));
    for (auto& call : calls) seen.insert(value_of(std::move(call)).first);
    asked += 200;
    return seen.size() > 6;
  }));
  const PoolStats stats = pool.stats();
  CHECK(stats.recycled >= 3);
  CHECK(stats.completed == asked);
  CHECK(stats.failed == 0);
  CHECK(stats.crashes == 0);
  CHECK(stats.restarts == 0);
  CHECK(wait_until([&] { return pool.stats().workers == 2; }));
}

// Fault recycle.requests (one call)
TEST_CASE("a pool is never below its size while a worker is replaced") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1, .recycle_after_requests = 1}};
  const pid_t first = pid_of(pool);
  CHECK(has_recycled(pool, 1));
  auto held = pool.run(gate.call("held"));  // by the second, which is worn when it has answered
  const pid_t second = gate.runner("held");
  CHECK(second != first);
  CHECK(pool.stats().workers == 1);
  gate.open();
  CHECK(value_of(std::move(held)) == second);
  CHECK(has_recycled(pool, 2));
  CHECK(pid_of(pool) != second);
}

// Fault recycle.memory (many calls): a worker's handlers leak.
// Then: it is replaced when it has more than it may, or has grown by more, and the leak is gone
// with it.
TEST_CASE("a worker that leaks is replaced") {
  const LeakCheck leaks;
  const bool growth = GENERATE(false, true);
  PoolOptions options{.workers = 1};
  (growth ? options.recycle_above_growth : options.recycle_above_rss) = 64 << 20;
  TestPool pool{options};
  const pid_t first = pid_of(pool);
  CHECK(wait_until([&] {
    value_of(pool.run(Leak{8 << 20}));
    return pool.stats().recycled > 0;
  }));
  CHECK(wait_until([&] { return pid_of(pool) != first; }));
  CHECK(pool.stats().failed == 0);
}

// Fault recycle.age (idle): a worker is older than `recycle_after_age`.
// Then: it is replaced, whether it has anything to do or not.
TEST_CASE("a worker that is old is replaced") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .recycle_after_age = 50ms}};
  CHECK(has_recycled(pool, 4));
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
  CHECK(pool.stats().crashes == 0);
}

// Fault recycle.relief (idle): the worker that is to take the place of one that is worn dies as it
// starts.
// Then: the worn one goes on; another is tried later.
TEST_CASE("a worn worker goes on as long as nobody can take its place") {
  const LeakCheck leaks;
  const TempDir folder;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 0},
                 .recycle_after_requests = 3}};
  const pid_t worn = pid_of(pool);
  std::ofstream{broken};
  for (int i = 0; i < 10; ++i) CHECK(pid_of(pool) == worn);
  CHECK(wait_until([&] { return pool.stats().crashes >= 1; }));
  CHECK(pid_of(pool) == worn);
  CHECK(pool.stats().failed == 0);
  std::filesystem::remove(broken);
  CHECK(wait_until([&] { return pid_of(pool) != worn; }));
  CHECK(pool.stats().failed == 0);
}

// Fault recycle.crash (many calls): workers crash, and pools are reloaded, while others are
// replaced.
// Then: all calls but the deadly ones are answered, and the pool has its size.
TEST_CASE("calls are all answered while workers crash, are recycled and reloaded at once") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3, .queue_limit = 100'000, .recycle_after_requests = 50}};
  const auto usual = [](int) { return RunOptions{}; };
  CHECK(answers_under_fire(pool, usual, usual, [&] { pool.reload(); }) == calls_under_fire);
  CHECK(wait_until([&] { return pool.stats().crashes == 12; }));
  CHECK(wait_until([&] { return pool.stats().workers == 3; }));
  CHECK(wait_until([&] { return pool.stats().each.size() == 3; }));
}

// Fault recycle.shutdown (many calls): a pool is shut down while workers are replaced.
// Then: all that was asked is answered, and nothing is left.
TEST_CASE("a pool that recycles can be shut down at any moment") {
  const LeakCheck leaks;
  for (int round = 0; round < 10; ++round) {
    TestPool pool{{.workers = 2, .queue_limit = 10'000, .recycle_after_requests = 10}};
    std::vector<Future<int>> calls;
    for (int i = 0; i < 100 * round; ++i) calls.push_back(pool.run(Add{i, 1}));
    const ShutdownReport report = pool.shutdown();
    CHECK(report.calls_failed == 0);
    for (auto& call : calls) value_of(std::move(call));
  }
}
