// A pool's workers are replaced while it is used. What may go wrong is in reload_fault_test.cpp.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <optional>
#include <thread>

#include "faults/reloads.hpp"
#include "faults/service/handlers.hpp"
#include "reactor/reactor.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;
namespace fs = std::filesystem;

std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

}  // namespace

TEST_CASE("after a reload all workers are other processes, and the old ones are gone") {
  const LeakCheck leaks;
  for (const int workers : {1, 4}) {
    TestPool pool{{.workers = static_cast<std::size_t>(workers)}};
    const auto before = workers_of(pool, workers);
    const pid_t server = fork_server_of(pool);
    pool.reload();
    CHECK(gone(server));
    const auto after = workers_of(pool, workers);
    CHECK(after.size() == static_cast<std::size_t>(workers));
    for (const pid_t pid : before) {
      CHECK(gone(pid));
      CHECK_FALSE(after.contains(pid));
    }
    CHECK(fork_server_of(pool) != server);
    const PoolStats stats = pool.stats();
    CHECK(stats.workers == static_cast<std::size_t>(workers));
    CHECK(stats.restarts == 0);
    CHECK(stats.crashes == 0);
    CHECK(pool.shutdown().workers_left == static_cast<std::size_t>(workers));
  }
}

TEST_CASE("a reload picks a new executable up") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch()}};
  CHECK(version_of(pool) == 1);
  program.becomes(version(2));
  CHECK(version_of(pool) == 1);
  pool.reload();
  CHECK(version_of(pool) == 2);
  // Those that replace it are of the new one, too.
  CHECK(error_of(pool.run(Die{})).code() == errc::worker_crashed);
  for (int i = 0; i < 10; ++i) CHECK(version_of(pool) == 2);
}

// Fault reload.under-load (many calls): calls come from several threads all the while.
// Then: none is lost, fails, or runs twice.
TEST_CASE("reloads under load from several threads lose no call, fail none and run none twice") {
  const LeakCheck leaks;
  const TempDir folder;
  const fs::path log = folder / "log";
  TestPool pool{{.workers = 3}};
  std::atomic<bool> over = false;
  std::atomic<int> failed = 0, next = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!over) {
        std::vector<Future<void>> calls;
        for (int i = 0; i < 20; ++i)
          calls.push_back(pool.run(Note{log.string(), std::to_string(next++)}));
        for (auto& call : calls) try {
            value_of(std::move(call));
          } catch (const std::exception&) {
            ++failed;
          }
      }
    });
  REQUIRE(wait_until([&] { return next > 100; }));
  for (int i = 0; i < 5; ++i) pool.reload();
  over = true;
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(pool.stats().crashes == 0);
  std::map<int, int> runs;
  for (const int number : pids_in(log)) ++runs[number];
  CHECK(runs.size() == static_cast<std::size_t>(next));
  CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run.second == 1; }));
}

// Fault reload.long-call (many calls): an old worker runs a long call.
// Then: it is left to finish it, and others answer what waits; then it leaves.
TEST_CASE("a worker that runs a call is left to finish it, and what waits behind goes elsewhere") {
  const LeakCheck leaks;
  BusyPool busy;
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 300; ++i) waiting.push_back(busy.pool.run(Add{i, 1}));
  {
    const Reloading reloading(busy.pool);
    for (int i = 0; i < 300; ++i)
      CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == i + 1);
    CHECK(pid_of(busy.pool) != busy.worker);
    CHECK(busy.pool.stats().workers == 1);
    CHECK(busy.pool.stats().in_flight == 1);
    CHECK(busy.pool.stats().queued == 0);
    CHECK_FALSE(reloading.done());
    CHECK_FALSE(busy.running.ready());
    busy.gate.open();
    CHECK(reloading.code() == errc{});
  }
  CHECK(value_of(std::move(busy.running)) == busy.worker);
  CHECK(gone(busy.worker));
}

// Fault reload.long-call (many calls)
TEST_CASE("a worker that leaves takes none of its calls up any more") {
  const LeakCheck leaks;
  const Gate later;
  BusyPool busy;
  std::vector<Future<pid_t>> waiting;
  for (const char* name : {"1", "2", "3"}) waiting.push_back(busy.pool.run(later.call(name)));
  const Reloading reloading(busy.pool);
  // The new one is ready, and runs one of them; the old one has been told.
  REQUIRE(wait_until([&] { return later.begun("2") && busy.pool.stats().workers == 1; }));
  busy.gate.open();
  CHECK(reloading.code() == errc{});
  later.open();
  for (auto& call : waiting) CHECK(value_of(std::move(call)) != busy.worker);
  CHECK(value_of(std::move(busy.running)) == busy.worker);
}

// Fault reload.long-call (many calls)
TEST_CASE("a worker that leaves in a reload counts as none that could take a call") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1, .queue_limit = 0}};
  auto first = pool.run(gate.call("1"));
  gate.runner("1");
  {
    const Reloading reloading(pool);
    std::optional<Future<pid_t>> second;
    REQUIRE(wait_until([&] {
      second = pool.run(gate.call("2"));
      return !second->ready();
    }));
    gate.runner("2");
    CHECK(error_of(pool.run(Add{1, 1})).code() == errc::queue_full);
    gate.open();
    CHECK(value_of(*std::move(second)) != value_of(std::move(first)));
  }
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault reload.last-call (one call): an old worker crashes in its last call.
// Then: `worker_crashed` with its status, as ever; the reload goes on.
TEST_CASE("a worker that was asked to leave and crashes in its last call has crashed") {
  const LeakCheck leaks;
  BusyPool busy;
  const Reloading reloading(busy.pool);
  REQUIRE(wait_until([&] { return pid_of(busy.pool) != busy.worker; }));
  REQUIRE(::kill(busy.worker, SIGSEGV) == 0);
  const Error error = error_of(std::move(busy.running));
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::signaled);
  CHECK(error.crash()->status.signal == SIGSEGV);
  CHECK(reloading.code() == errc{});
  CHECK(busy.pool.stats().crashes == 1);
  CHECK(busy.pool.stats().restarts == 0);
  CHECK(busy.pool.stats().workers == 1);
}

// Fault reload.hangs (one call): an old worker does not leave after its last answer.
// Then: it is killed after `connect_timeout`; the reload goes on.
TEST_CASE("a worker that hangs as it leaves is ended, but not while it runs a call") {
  const LeakCheck leaks;
  const Gate gate;
  const auto hanging = [](std::size_t workers) {
    return PoolOptions{.workers = workers,
                       .launch = Launch::self().env("TEST_ON_EXIT", "hang"),
                       .connect_timeout = 500ms};
  };
  TestPool pool{hanging(2)}, clock{hanging(1)};
  const auto before = workers_of(pool, 2);
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  {
    const Reloading reloading(pool);
    for (int i = 0; i < 2; ++i) clock.reload();  // each takes as long as a worker that hangs
    CHECK_FALSE(reloading.done());
    gate.open();
    CHECK(reloading.code() == errc{});
  }
  CHECK(before.contains(value_of(std::move(running))));
  CHECK(std::all_of(before.begin(), before.end(), gone));
  CHECK(pool.stats().crashes == 0);
  CHECK(pool.shutdown(0ms).workers_killed == 2);
}

// Fault reload.at-once (idle): several threads reload.
// Then: each gets the program that was there when it called, or a later one.
TEST_CASE("reloads from several threads all end") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch()}};
  program.becomes(script("TEST_VERSION=2 TEST_PRELOAD=wait=" + program.file("go").string()));
  {
    const Reloading first(pool);
    // It has begun with the program as it is now.
    REQUIRE(wait_until([&] { return processes() > 3; }));
    program.becomes(version(3));
    const Reloading second(pool), third(pool);
    CHECK_FALSE(first.done());
    put(program.file("go"), "");
    for (const auto* each : {&first, &second, &third}) CHECK(each->code() == errc{});
  }
  // Each has got the program that was there when it was called, or a later one.
  for (int i = 0; i < 4; ++i) CHECK(version_of(pool) == 3);
}

// Fault reload.shut-down (idle): the pool is, or was, shut down or destroyed.
// Then: `reload` throws `shut_down`; calls fare as in any shutdown.
TEST_CASE("a shutdown ends a reload whose program does not get ready") {
  const LeakCheck leaks;
  for (const auto& [where, count] :
       {std::pair("TEST_PRELOAD", 4U), std::pair("TEST_WARM_UP", 5U)}) {
    INFO(where);
    const Program program(version(1));
    TestPool pool{{.workers = 2, .launch = program.launch()}};
    program.becomes(script(where + std::string("=hang")));
    const Reloading reloading(pool), next(pool);
    REQUIRE(wait_until([count = count] { return processes() == count; }));
    const ShutdownReport report = pool.shutdown();
    CHECK(report.workers_left == 2);
    CHECK(report.workers_killed == 0);
    CHECK(reloading.code() == errc::shut_down);
    CHECK(next.code() == errc::shut_down);
  }
}

// Fault reload.shut-down (one call)
TEST_CASE("a shutdown ends a reload that waits for a call, and the call is answered") {
  const LeakCheck leaks;
  BusyPool busy;
  const Reloading reloading(busy.pool);
  REQUIRE(wait_until([&] { return pid_of(busy.pool) != busy.worker; }));
  std::thread opening([&] {
    static_cast<void>(reloading.failure());
    busy.gate.open();
  });
  const ShutdownReport report = busy.pool.shutdown();
  opening.join();
  CHECK(reloading.code() == errc::shut_down);
  CHECK(value_of(std::move(busy.running)) == busy.worker);
  CHECK(report.calls_failed == 0);
  CHECK(report.workers_killed == 0);
}

// Fault reload.shut-down (one call)
TEST_CASE("a pool that is destroyed ends its reload") {
  const LeakCheck leaks;
  const Gate gate;
  std::optional<TestPool> pool(PoolOptions{.workers = 1});
  auto running = pool->run(gate.call("one"));
  const pid_t old = gate.runner("one");
  const Reloading reloading(*pool);
  REQUIRE(wait_until([&] { return pid_of(*pool) != old; }));
  pool.reset();
  CHECK(reloading.code() == errc::shut_down);
  CHECK(error_of(std::move(running)).code() == errc::shut_down);
}

// Fault reload.shut-down (idle)
TEST_CASE("a pool that was shut down, or is empty, has nothing to reload") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  pool.shutdown();
  CHECK(error_of_reload(pool).code() == errc::shut_down);
  TestPool moved{{.workers = 1}};
  const TestPool owner = std::move(moved);
  CHECK(error_of_reload(moved).code() == errc::shut_down);
}

TEST_CASE("a reload on the reactor's own thread does not wait for itself") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const auto before = workers_of(pool, 2);
  std::atomic<bool> done = false;
  {
    const auto reactor = reactor::Reactor::acquire();
    reactor->post([&] {
      pool.reload();
      done = true;
    });
    REQUIRE(wait_until([&] { return done.load(); }));
  }
  for (const pid_t pid : before) CHECK(gone(pid));
}

// Fault reload.many (idle): reloads follow each other all the time.
// Then: nothing grows: no process, no descriptor.
TEST_CASE("many reloads leave nothing behind") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  pool.reload();
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) {
    pool.reload();
    REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
  }
  // What the first left may have been there still.
  CHECK(wait_until([&] { return descriptors() <= before; }));
  CHECK(processes() == 3);
}
