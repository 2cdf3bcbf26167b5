// The library in every kind of application: what it does about its children and signals, and how it
// comes to its end.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <thread>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

// Fault host.children (one call): the app ignores SIGCHLD, or reaps all children itself, by a
// handler or a thread.
// Then: statuses are right all the same, as the fork server reaps the workers; only a process of
// the library's own that the app reaped may end with an unknown one.
TEST_CASE("an app learns how its workers ended, whatever it does about its own children") {
  for (const char* how : {"ignores", "no_wait", "handler", "thread"}) {
    const LeakCheck leaks;
    INFO(how);
    App app("reaps", {how}, no_leak_sanitizer);
    check_ends_well(app);
  }
}

// Fault host.inherits (one call): the app is the first process of a container, or a subreaper.
// Then: it is left no zombie of the library's, whatever dies.
TEST_CASE("an app that inherits orphans is left none") {
  const LeakCheck leaks;
  App app("subreaper", {}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault host.inherits (one call)
TEST_CASE("an app that is the first process of its container has workers") {
  const LeakCheck leaks;
  App app("init", {}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault host.thread-ends (idle): the thread that started a pool ends.
// Then: the workers live on.
TEST_CASE("workers live on when the thread that started them ends") {
  const LeakCheck leaks;
  std::optional<TestPool> pool;
  std::optional<TestWorker> worker;
  std::thread([&] {
    pool.emplace(PoolOptions{.workers = 1});
    worker = TestWorker::start();
  }).join();
  const pid_t pid = pid_of(*pool);
  for (int i = 0; i < 100; ++i) CHECK(value_of(pool->run(Add{i, 1})) == i + 1);
  CHECK(value_of(worker->run(Add{1, 2})) == 3);
  CHECK(pid_of(*pool) == pid);
  CHECK(pool->stats().crashes == 0);
}

// Fault host.interrupted (one call)
TEST_CASE("a terminal's interrupt reaches the app and not its workers") {
  const LeakCheck leaks;
  App app("interrupted", {}, no_leak_sanitizer);
  REQUIRE(wait_until([&] { return std::filesystem::exists(app.file("ready")); }));
  REQUIRE(::kill(-app.pid(), SIGINT) == 0);
  check_ends_well(app);
}

// Fault host.storm (many calls): signals come ten thousand times a second, in the app and in its
// workers.
// Then: every wait goes on for as long as it was to, and calls are answered.
TEST_CASE("a storm of signals ends no wait early, and loses no call") {
  const LeakCheck leaks;
  App app("storm", {}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault beat.app (idle): the app itself was stopped for long.
// Then: it suspects no worker.
TEST_CASE("an app that was stopped suspects no worker when it goes on") {
  const LeakCheck leaks;
  App app("watched");
  REQUIRE(wait_until([&] { return std::filesystem::exists(app.file("ready")); }));
  app.kill(SIGSTOP);
  const auto since = std::chrono::steady_clock::now();
  REQUIRE(wait_until(
      [&] { return std::chrono::steady_clock::now() - since > std::chrono::milliseconds(300); }));
  app.kill(SIGCONT);
  std::ofstream{app.file("go")};
  check_ends_well(app);
}

// Fault host.static (many calls)
TEST_CASE("an app ends while calls run, wherever its pool is kept") {
  for (const char* holder : {"global", "thread_local", "stack", "leaked"})
    for (const char* how : {"return", "handler", "thread", "quick_exit"}) {
      const LeakCheck leaks;
      INFO(holder << ", " << how);
      App app("leaves", {holder, how}, no_leak_sanitizer);
      check_ends_well(app);
    }
}

// Fault crash.core-file (one call): the app allows core files, and a worker crashes.
// Then: it leaves none.
TEST_CASE("a worker that crashes leaves no core file, whatever the app's limit is") {
  const LeakCheck leaks;
  const TempDir folder;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_CORE, &before) == 0);
  const rlimit all{before.rlim_max, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_CORE, &all) == 0);
  TestPool pool{{.workers = 1, .launch = Launch::self().working_directory(folder.path())}};
  const Error error = error_of(pool.run(Die{Death::segmentation_fault}));
  const View view = value_of(pool.run(LookAround{}));
  CHECK(view.core_limit == 0);
  // The limit alone does not hold where core files are piped to a program.
  CHECK_FALSE(view.open_to_debuggers);
  ::setrlimit(RLIMIT_CORE, &before);
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.signal = SIGSEGV, .core_dumped = false});
  CHECK(std::filesystem::is_empty(folder.path()));
}

// Fault host.static (idle)
TEST_CASE("a pool that a thread keeps ends with it") {
  const LeakCheck leaks;
  std::thread([] {
    thread_local TestPool pool{{.workers = 1}};
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }).join();
}
