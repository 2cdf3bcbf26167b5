// One call to each worker.
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "faults/calls.hpp"
#include "faults/reloads.hpp"
#include "faults/threads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using WhoIs = std::pair<pid_t, std::uint64_t>;

}  // namespace

// Fault broadcast.busy (many calls): workers are busy, and calls wait.
// Then: each worker runs its call when it is free, before or among the others; none runs two.
TEST_CASE("each worker gets a broadcast once, whatever else there is to do") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(1u, 3u);
  TestPool pool{{.workers = 3, .launch = on_threads(threads), .spares = 1}};
  for (int round = 0; round < 20; ++round) {
    std::vector<Future<int>> others;
    for (int i = 0; i < 50; ++i) others.push_back(pool.run(Add{i, round}));
    std::set<pid_t> pids;
    auto answers = pool.broadcast(WhoAmI{});
    CHECK(answers.size() == 3);
    for (auto& answer : answers) pids.insert(value_of(std::move(answer)).first);
    CHECK(pids.size() == 3);
    for (int i = 0; i < 50; ++i)
      REQUIRE(value_of(std::move(others[static_cast<std::size_t>(i)])) == i + round);
  }
  CHECK(pool.stats().queued == 0);
}

// Fault broadcast.busy (one call)
TEST_CASE("a broadcast waits for a worker that is busy, and can be called off there") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2, .queue_limit = 0}};
  auto held = pool.run(gate.call("one"));
  const pid_t busy = gate.runner("one");
  auto first = pool.broadcast(WhoAmI{});
  auto second = pool.broadcast(WhoAmI{});
  REQUIRE(first.size() == 2);
  CHECK(wait_until([&] { return first[0].ready() || first[1].ready(); }));
  CHECK_FALSE((first[0].ready() && first[1].ready()));
  for (auto& call : second)
    if (!call.ready()) call.cancel();
  CHECK(wait_until([&] { return second[0].ready() && second[1].ready(); }));
  gate.open();
  CHECK(value_of(std::move(held)) == busy);
  std::set<pid_t> pids;
  for (auto& answer : first) pids.insert(value_of(std::move(answer)).first);
  CHECK(pids.contains(busy));
  CHECK(pids.size() == 2);
}

// Fault broadcast.dies (one call): a worker dies before it comes to its call, or as it runs it.
// Then: that call fails with `worker_crashed`, and no other worker runs it instead.
TEST_CASE("a broadcast to a worker that dies fails, and nobody else runs it") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto held = pool.run(gate.call("one"));
  const pid_t busy = gate.runner("one");
  auto answers = pool.broadcast(Add{1, 1});
  CHECK(wait_until([&] { return answers[0].ready() || answers[1].ready(); }));
  REQUIRE(::kill(busy, SIGKILL) == 0);
  CHECK(error_of(std::move(held)).code() == errc::worker_crashed);
  int right = 0, failed = 0;
  for (auto& answer : answers) {
    try {
      right += value_of(std::move(answer)) == 2;
    } catch (const Error& error) {
      CHECK(error.code() == errc::worker_crashed);
      REQUIRE(error.crash());
      CHECK(error.crash()->pid == busy);
      ++failed;
    }
  }
  CHECK(right == 1);
  CHECK(failed == 1);
  for (auto& answer : pool.broadcast(Die{}))
    CHECK(error_of(std::move(answer)).code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault broadcast.leaves (many calls): the worker is to leave, for a reload.
// Then: it runs its call first.
TEST_CASE("a worker that is replaced runs its broadcast first") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  auto held = pool.run(gate.call("one"));
  const pid_t old = gate.runner("one");
  auto answers = pool.broadcast(WhoAmI{});
  std::thread reloader([&] { pool.reload(); });
  CHECK(wait_until([&] {
    const auto each = pool.stats().each;
    return std::any_of(each.begin(), each.end(),
                       [](auto& worker) { return worker.state == WorkerState::leaving; });
  }));
  gate.open();
  CHECK(value_of(std::move(held)) == old);
  CHECK(value_of(std::move(answers.at(0))).first == old);
  reloader.join();
  CHECK(pid_of(pool) != old);
}

// Fault broadcast.dies (many calls)
TEST_CASE("broadcasts are all settled while workers crash, are recycled and reloaded") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3, .queue_limit = 10'000, .recycle_after_requests = 20}};
  std::thread reloader([&] {
    for (int i = 0; i < 3; ++i) pool.reload();
  });
  std::size_t answered = 0;
  for (int round = 0; round < 100; ++round) {
    auto answers = pool.broadcast(Add{round, 1});
    auto other = pool.run(Add{round, 2});
    if (round % 10 == 5) static_cast<void>(pool.run(Die{}));
    for (auto& answer : answers) {
      try {
        const int sum = value_of(std::move(answer));
        CHECK(sum == round + 1);
        ++answered;
      } catch (const Error& error) {
        const bool gone = error.code() == errc::worker_crashed || error.code() == errc::not_running;
        CHECK(gone);
      }
    }
    CHECK(value_of(std::move(other)) == round + 2);
  }
  reloader.join();
  CHECK(answered > 50);
  CHECK(wait_until([&] { return pool.stats().workers == 3; }));
  CHECK(pool.stats().queued == 0);
}

TEST_CASE("a pool without workers has nobody to call") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .lazy = true}};
  CHECK(pool.broadcast(Add{1, 1}).empty());
  TestPool other = std::move(pool);
  CHECK(pool.broadcast(Add{1, 1}).empty());
}
