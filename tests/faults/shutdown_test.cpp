#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <thread>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

Launch told(const std::string& what) { return Launch::self().env("TEST_ON_EXIT", what); }

}  // namespace

// Fault end.shutdown (idle): shutdown twice, from several threads, with calls coming.
// Then: one report for all; calls are answered, or told by `shut_down`.
TEST_CASE("a shutdown of an idle pool asks its workers to leave") {
  const LeakCheck leaks;
  const TempDir folder;
  TestPool pool{{.workers = 2, .launch = told("touch=" + (folder / "left").string())}};
  const ShutdownReport report = pool.shutdown();
  CHECK(report.workers_left == 2);
  CHECK(report.workers_killed == 0);
  CHECK(report.calls_completed == 0);
  CHECK(report.calls_failed == 0);
  CHECK(report.unkillable.empty());
  CHECK(std::filesystem::exists(folder / "left"));
  CHECK(pool.stats().workers == 0);
  CHECK(pool.stats().crashes == 0);
}

// Fault end.shutdown (many calls)
TEST_CASE("a shutdown waits for the calls that run and that wait") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  std::vector<Future<pid_t>> running;
  for (const char* name : {"1", "2"}) running.push_back(pool.run(gate.call(name)));
  gate.runner("1");
  gate.runner("2");
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(pool.run(Add{i, 0}));
  auto failing = pool.run(Throw{});
  ShutdownReport report;
  std::thread shutting([&] { report = pool.shutdown(); });
  // No call is taken any more once it has begun.
  REQUIRE(wait_until([&] {
    auto late = pool.run(Add{1, 1});
    return late.ready() && error_of(std::move(late)).code() == errc::shut_down;
  }));
  CHECK_FALSE(waiting.back().ready());
  gate.open();
  shutting.join();
  for (auto& call : running) CHECK(value_of(std::move(call)) > 0);
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == i);
  CHECK(error_of(std::move(failing)).code() == errc::handler_failed);
  CHECK(report.calls_completed >= 102);
  CHECK(report.calls_failed >= 1);
  CHECK(report.workers_left == 2);
  CHECK(report.workers_killed == 0);
}

// Fault end.shutdown (idle)
TEST_CASE("calls after a shutdown fail with shut_down") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  pool.shutdown();
  const Error error = error_of(pool.run(Add{1, 2}));
  CHECK(error.code() == errc::shut_down);
  CHECK(error.crash() == nullptr);
  auto worker = TestWorker::start();
  worker.shutdown();
  CHECK_FALSE(worker.alive());
  CHECK_FALSE(worker.crash());
  CHECK(error_of(worker.run(Add{1, 2})).code() == errc::shut_down);
}

// Fault end.shutdown (idle)
TEST_CASE("a second shutdown gives the same report") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const ShutdownReport first = pool.shutdown();
  const ShutdownReport second = pool.shutdown();
  CHECK(second.workers_left == first.workers_left);
  CHECK(second.elapsed == first.elapsed);
}

// Fault end.shutdown (many calls)
TEST_CASE("shutdowns from several threads end together") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::vector<Future<int>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(pool.run(Add{i, 0}));
  std::vector<ShutdownReport> reports(4);
  std::vector<std::thread> threads;
  for (auto& report : reports) threads.emplace_back([&] { report = pool.shutdown(); });
  for (auto& thread : threads) thread.join();
  for (const auto& report : reports) {
    CHECK(report.workers_left == 2);
    CHECK(report.elapsed == reports[0].elapsed);
  }
  for (auto& call : calls) CHECK(call.ready());
}

// Fault end.shutdown (many calls)
TEST_CASE("calls from other threads during a shutdown are answered or told of it") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::atomic<int> answered = 0, told_of = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (bool open = true; open;) {
        auto call = pool.run(Add{1, 2});
        try {
          answered += value_of(std::move(call)) == 3;
        } catch (const Error& error) {
          told_of += error.code() == errc::shut_down;
          open = false;
        }
      }
    });
  REQUIRE(wait_until([&] { return answered > 20; }));
  pool.shutdown();
  for (auto& thread : threads) thread.join();
  CHECK(told_of == 4);
}

// Fault end.grace (one call): calls do not end within the grace of a shutdown.
// Then: they fail with `shut_down`, and their workers are ended.
TEST_CASE("a call that does not end is failed after the grace, and its worker ended") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  const ShutdownReport report = pool.shutdown(50ms);
  CHECK(error_of(std::move(running)).code() == errc::shut_down);
  CHECK(report.calls_failed == 1);
  CHECK(report.workers_left + report.workers_killed == 2);
  CHECK(report.workers_killed >= 1);
  CHECK(report.elapsed >= 50ms);
}

// Fault end.hangs (idle): a worker hangs as it leaves, is stopped, or ignores it.
// Then: after `grace` what is left fails with `shut_down`; SIGTERM, a second later SIGKILL, to its
// whole tree; the report counts it.
TEST_CASE("a worker that hangs as it leaves is ended after the grace") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .launch = told("hang")}};
  const ShutdownReport report = pool.shutdown(50ms);
  CHECK(report.workers_left == 0);
  CHECK(report.workers_killed == 2);
}

// Fault end.dies (idle): a worker dies in a shutdown.
// Then: the call that it ran fails with its crash; what waits is answered by its successor.
TEST_CASE("a worker that dies as it leaves has left") {
  const LeakCheck leaks;
  for (const char* how : {"die", "throw"}) {
    TestPool pool{{.workers = 2, .launch = told(how)}};
    const ShutdownReport report = pool.shutdown();
    CHECK(report.workers_left == 2);
    CHECK(report.workers_killed == 0);
  }
}

// Fault end.hangs (one call)
TEST_CASE("a worker that is stopped is ended after the grace") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  REQUIRE(::kill(pid_of(pool), SIGSTOP) == 0);
  auto call = pool.run(Add{1, 2});
  const ShutdownReport report = pool.shutdown(10ms);
  CHECK(error_of(std::move(call)).code() == errc::shut_down);
  CHECK(report.workers_killed == 1);
}

// Fault end.dies (one call)
TEST_CASE(
    "calls that wait when the only worker dies during a shutdown are answered by its successor") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  auto running = pool.run(gate.call("one"));
  const pid_t pid = gate.runner("one");
  auto waiting = pool.run(Add{1, 2});
  ShutdownReport report;
  std::thread shutting([&] { report = pool.shutdown(default_watchdog); });
  REQUIRE(wait_until([&] {
    auto late = pool.run(Add{1, 1});
    return late.ready();
  }));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  CHECK(value_of(std::move(waiting)) == 3);
  shutting.join();
  CHECK(report.calls_completed >= 1);
  CHECK(report.workers_left == 1);
  CHECK(report.workers_killed == 0);
}

// Fault end.dies (one call)
TEST_CASE(
    "calls that wait when a lone worker dies during a shutdown fail at once, whatever the grace") {
  const LeakCheck leaks;
  const Gate gate;
  auto worker = TestWorker::start();
  auto running = worker.run(gate.call("one"));
  const pid_t pid = gate.runner("one");
  auto waiting = worker.run(Add{1, 2});
  std::thread shutting([&] { worker.shutdown(std::chrono::milliseconds::max()); });
  REQUIRE(wait_until([&] {
    auto late = worker.run(Add{1, 1});
    return late.ready();
  }));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  CHECK(error_of(std::move(waiting)).code() == errc::worker_crashed);
  shutting.join();
  CHECK(worker.crash());
}

// Fault end.destroyed (many calls): a pool is destroyed while calls run.
// Then: they fail with `shut_down`; who waits is woken.
TEST_CASE("a pool that is destroyed with calls in flight fails them all") {
  const LeakCheck leaks;
  const Gate gate;
  std::vector<Future<pid_t>> running;
  std::vector<Future<int>> waiting;
  {
    TestPool pool{{.workers = 2}};
    for (const char* name : {"1", "2"}) running.push_back(pool.run(gate.call(name)));
    gate.runner("1");
    gate.runner("2");
    for (int i = 0; i < 300; ++i) waiting.push_back(pool.run(Add{i, 0}));
  }
  for (auto& call : running) CHECK(error_of(std::move(call)).code() == errc::shut_down);
  for (auto& call : waiting) CHECK(error_of(std::move(call)).code() == errc::shut_down);
}

// Fault end.destroyed (one call)
TEST_CASE("a thread that waits for a call is woken when the pool is destroyed") {
  const LeakCheck leaks;
  const Gate gate;
  std::optional<TestPool> pool(PoolOptions{.workers = 1});
  auto running = pool->run(gate.call("one"));
  gate.runner("one");
  errc code{};
  std::thread waiting([&] {
    try {
      running.get();
    } catch (const Error& error) {
      code = static_cast<errc>(error.code().value());
    }
  });
  pool.reset();
  waiting.join();
  CHECK(code == errc::shut_down);
}

// Fault end.destroyed
TEST_CASE("pools are started and destroyed again and again") {
  const LeakCheck leaks;
  for (int i = 0; i < 30; ++i) {
    TestPool pool{{.workers = 2}};
    auto call = pool.run(Add{i, 1});
    if (i % 3 == 0) CHECK(value_of(std::move(call)) == i + 1);
    if (i % 3 == 1) pool.shutdown();
  }
}
