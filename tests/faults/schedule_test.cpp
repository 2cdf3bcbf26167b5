#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

// Fault value.queue-full (many calls): too many calls wait.
// Then: `queue_full`.
TEST_CASE("calls past the queue limit are refused, and those before it are answered") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Gate gate;
  TestPool pool = pool_of<TestService>(kind, {.workers = 1, .queue_limit = 5});
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(pool.run(Add{i, 0}));
  CHECK(pool.stats().queued == 5);
  auto refused = pool.run(Add{1, 1});
  CHECK(refused.ready());
  const Error error = error_of(std::move(refused));
  INFO(error.what());
  CHECK(error.code() == errc::queue_full);
  CHECK(mentions(error, "5"));
  gate.open();
  CHECK(value_of(std::move(running)) > 0);
  for (int i = 0; i < 5; ++i) CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == i);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault value.queue-full (many calls)
TEST_CASE("a pool without a queue takes as many calls as it has free workers") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2, .queue_limit = 0}};
  auto first = pool.run(gate.call("1"));
  auto second = pool.run(gate.call("2"));
  CHECK(error_of(pool.run(Add{1, 1})).code() == errc::queue_full);
  gate.open();
  CHECK(value_of(std::move(first)) != value_of(std::move(second)));
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault value.queue-full (many calls)
TEST_CASE("a lone worker has a queue limit, too") {
  const LeakCheck leaks;
  const Gate gate;
  auto worker = TestWorker::start({.queue_limit = 1});
  auto running = worker.run(gate.call("one"));
  gate.runner("one");
  auto waiting = worker.run(Add{1, 2});
  CHECK(error_of(worker.run(Add{1, 1})).code() == errc::queue_full);
  gate.open();
  CHECK(value_of(std::move(waiting)) == 3);
  CHECK(value_of(std::move(running)) == worker.pid());
}

// Fault value.slow-call (many calls): a call is slow, and another worker or thread is free.
// Then: what waits behind it moves there.
TEST_CASE("calls go to free workers first") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 4}};
  std::vector<Future<pid_t>> running;
  std::set<pid_t> pids;
  for (const char* name : {"1", "2", "3", "4"}) {
    running.push_back(pool.run(gate.call(name)));
    pids.insert(gate.runner(name));
  }
  CHECK(pids.size() == 4);
  gate.open();
  for (auto& call : running) pids.erase(value_of(std::move(call)));
  CHECK(pids.empty());
}

// Fault value.slow-call (many calls)
TEST_CASE("calls that wait for a busy worker are answered by another that is free") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto blocked = pool.run(gate.call("blocked"));
  const pid_t busy = gate.runner("blocked");
  // Some of these are given to the busy one ahead of time.
  std::vector<Future<std::pair<pid_t, std::uint64_t>>> calls;
  for (int i = 0; i < 1000; ++i) calls.push_back(pool.run(WhoAmI{}));
  for (auto& call : calls) CHECK(value_of(std::move(call)).first != busy);
  CHECK_FALSE(blocked.ready());
  gate.open();
  CHECK(value_of(std::move(blocked)) == busy);
}

// Fault value.slow-call (many calls)
TEST_CASE("large calls that wait for a busy worker are answered by another that is free") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto blocked = pool.run(gate.call("blocked"));
  gate.runner("blocked");
  // More than the ring of the busy one has room for: some are partly in it when they are taken.
  std::vector<Future<std::string>> calls;
  for (std::size_t i = 0; i < 60; ++i)
    calls.push_back(pool.run(Echo{std::string(100'000 + i, 'x')}));
  for (std::size_t i = 0; i < 60; ++i) CHECK(value_of(std::move(calls[i])).size() == 100'000 + i);
  CHECK_FALSE(blocked.ready());
  gate.open();
  CHECK(value_of(std::move(blocked)) > 0);
  // The one that was busy has dropped what was taken from it.
  for (int i = 0; i < 100; ++i) REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
  CHECK(pool.stats().crashes == 0);
}

// Fault value.slow-call (many calls)
TEST_CASE("every worker of a busy pool has its share") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3}};
  std::vector<Future<std::pair<pid_t, std::uint64_t>>> calls;
  for (int i = 0; i < 900; ++i) calls.push_back(pool.run(WhoAmI{}));
  std::map<pid_t, int> shares;
  std::set<std::uint64_t> numbers;
  for (auto& call : calls) {
    const auto [pid, number] = value_of(std::move(call));
    ++shares[pid];
    numbers.insert(number);
  }
  CHECK(shares.size() == 3);
  CHECK(numbers.size() == 900);
}

TEST_CASE("the statistics tell what goes on") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  const auto check = [&](std::size_t queued, std::size_t in_flight, std::uint64_t completed,
                         std::uint64_t failed) {
    const PoolStats stats = pool.stats();
    CHECK(stats.workers == 2);
    CHECK(stats.queued == queued);
    CHECK(stats.in_flight == in_flight);
    CHECK(stats.completed == completed);
    CHECK(stats.failed == failed);
    CHECK(stats.crashes == 0);
    CHECK(stats.restarts == 0);
  };
  check(0, 0, 0, 0);
  auto first = pool.run(gate.call("1"));
  gate.runner("1");
  check(0, 1, 0, 0);
  auto second = pool.run(gate.call("2"));
  gate.runner("2");
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(pool.run(Add{i, i}));
  check(10, 2, 0, 0);
  gate.open();
  value_of(std::move(first));
  value_of(std::move(second));
  for (auto& call : waiting) value_of(std::move(call));
  check(0, 0, 12, 0);
  error_of(pool.run(Throw{}));
  check(0, 0, 12, 1);
}
