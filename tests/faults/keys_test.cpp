// Calls that have keys: where they go, and when they are refused.
#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <set>

#include "faults/calling_thread.hpp"
#include "faults/calls.hpp"
#include "faults/threads.hpp"
#include "faults/under_fire.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

// Fault queue.key (many calls): calls have keys, and the worker of a key is busy, dies, or is
// replaced.
// Then: calls of one key go to one worker, in order, and wait for it while others go on; when it is
// gone they go to another.
TEST_CASE("calls of one key go to one worker, whatever else runs") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(1u, 3u);
  TestPool pool{{.workers = 3, .launch = on_threads(threads), .queue_limit = 100'000}};
  std::vector<std::pair<std::string, Future<std::pair<pid_t, std::uint64_t>>>> calls;
  std::vector<Future<int>> others;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "session " + std::to_string(i % 7);
    calls.emplace_back(key, pool.run(WhoAmI{}, {.priority = i % 100 == 99, .key = key}));
    others.push_back(pool.run(Add{i, 0}));
  }
  std::map<std::string, std::set<pid_t>> workers;
  for (auto& [key, call] : calls) workers[key].insert(value_of(std::move(call)).first);
  for (const auto& [key, pids] : workers) CHECK(pids.size() == 1);
  for (int i = 0; i < 1000; ++i)
    REQUIRE(value_of(std::move(others[static_cast<std::size_t>(i)])) == i);
  CHECK(pool.stats().queued == 0);
}

// Fault queue.key (many calls)
TEST_CASE("calls of a key wait for its worker, in order, and others go on") {
  const LeakCheck leaks;
  const Gate gate;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool{{.workers = 2, .queue_limit = 2000}};
  auto busy = pool.run(gate.call("one"), {.key = "a"});
  const pid_t home = gate.runner("one");
  std::vector<Future<void>> kept;
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    kept.push_back(pool.run(Note{log, expected.back()}, {.key = "a"}));
  }
  auto who = pool.run(WhoAmI{}, {.key = "a"});
  std::vector<Future<std::pair<pid_t, std::uint64_t>>> others;
  for (int i = 0; i < 600; ++i) others.push_back(pool.run(WhoAmI{}));
  for (auto& other : others) CHECK(value_of(std::move(other)).first != home);
  CHECK(lines_of(log).empty());
  CHECK(pool.stats().queued == 21);
  auto withdrawn = pool.run(Note{log, "never"}, {.key = "a"});
  withdrawn.cancel();
  CHECK(error_of(std::move(withdrawn)).code() == errc::cancelled);
  gate.open();
  CHECK(value_of(std::move(who)).first == home);
  for (auto& call : kept) value_of(std::move(call));
  CHECK(lines_of(log) == expected);
  CHECK(value_of(std::move(busy)) == home);
}

// Fault queue.key (many calls)
TEST_CASE("calls of a key go to another worker when theirs dies or is replaced") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto busy = pool.run(gate.call("one"), {.key = "a"});
  const pid_t home = gate.runner("one");
  auto kept = pool.run(WhoAmI{}, {.key = "a"});
  auto also = pool.run(WhoAmI{}, {.key = "a"});
  ::kill(home, SIGKILL);
  CHECK(error_of(std::move(busy)).code() == errc::worker_crashed);
  const pid_t second = value_of(std::move(kept)).first;
  CHECK(second != home);
  CHECK(value_of(std::move(also)).first == second);
  CHECK(value_of(pool.run(WhoAmI{}, {.key = "a"})).first == second);
  pool.reload();
  const pid_t third = value_of(pool.run(WhoAmI{}, {.key = "a"})).first;
  CHECK(third != second);
  CHECK(value_of(pool.run(WhoAmI{}, {.key = "a"})).first == third);
}

// Fault queue.key (many calls)
TEST_CASE("calls with keys and without are all answered while workers crash and are replaced") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3, .queue_limit = 100'000}};
  const auto options_of = [](int i) {
    return RunOptions{.priority = i % 2, .key = i % 3 == 0 ? "" : std::to_string(i % 7)};
  };
  const auto poison = [](int) { return RunOptions{.key = "poison"}; };
  CHECK(answers_under_fire(pool, options_of, poison, [&] { pool.reload(); }) == calls_under_fire);
  CHECK(pool.stats().queued == 0);
}

// Fault queue.quarantine (many calls): the calls of a key take `poison_limit` workers down.
// Then: those that wait and those that come fail with `request_quarantined` and the last crash, for
// 30 s or until `clear_quarantine`; other keys and calls go on.
TEST_CASE("a key whose calls took too many workers down is refused, and the others go on") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const Error first = error_of(pool.run(Die{}, {.key = "bad"}));
  CHECK(first.code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
  const Error second = error_of(pool.run(Die{}, {.key = "bad"}));
  CHECK(second.code() == errc::worker_crashed);

  auto refused = pool.run(Add{1, 1}, {.key = "bad"});
  CHECK(refused.ready());
  const Error error = error_of(std::move(refused));
  INFO(error.what());
  CHECK(error.code() == errc::request_quarantined);
  CHECK(mentions(error, "poison_limit"));
  CHECK(mentions(error, second.what()));
  REQUIRE(error.crash());
  CHECK(error.crash()->pid == second.crash()->pid);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "good"})) == 2);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);

  pool.clear_quarantine("never heard of");
  CHECK(error_of(pool.run(Add{1, 1}, {.key = "bad"})).code() == errc::request_quarantined);
  pool.clear_quarantine("bad");
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
  CHECK(pool.stats().crashes == 2);
}

// Fault queue.quarantine (many calls)
TEST_CASE("calls of a key that wait are refused with it, and its guilty call is not tried again") {
  const LeakCheck leaks;
  const bool must_wait = GENERATE(false, true);
  const Gate gate;
  const TempDir folder;
  PoolOptions options{.workers = 1, .max_attempts = 10};
  if (must_wait) {
    options.queue_limit = 2;
    options.on_full = OnFull::wait;
  }
  TestPool pool{options};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  auto poison = pool.run(Poison{folder / "log"}, {.key = "bad"});
  auto other = pool.run(Add{1, 1});
  std::vector<std::unique_ptr<CallingThread<Add>>> bad;
  for (int i = 0; i < 3; ++i)
    bad.push_back(std::make_unique<CallingThread<Add>>(pool, Add{1, 1}, RunOptions{.key = "bad"}));
  gate.open();
  CHECK(error_of(std::move(poison)).code() == errc::worker_crashed);
  CHECK(pids_in(folder / "log").size() == 2);
  for (auto& call : bad) CHECK(error_of(call->take()).code() == errc::request_quarantined);
  CHECK(value_of(std::move(other)) == 2);
  value_of(std::move(running));
  CHECK(pool.stats().queued == 0);
  CHECK(pool.shutdown().calls_failed == 0);
}

// Fault queue.quarantine (many calls)
TEST_CASE("a pool without a limit refuses no key") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .poison_limit = 0}};
  for (int i = 0; i < 4; ++i)
    CHECK(error_of(pool.run(Die{}, {.key = "bad"})).code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
}
