#include <stdlib.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "support/blocked.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

Launch told(const char* variable, const std::string& what) {
  return Launch::self().env(variable, what);
}

Error worker_error(const Launch& launch) {
  return start_error_of([&] { return TestWorker::start({.launch = launch}); });
}

Error pool_error(const Launch& launch) {
  return start_error_of([&] { return TestPool({.workers = 3, .launch = launch}); });
}

template <class Start>
void check_timeout(Start start, const std::string& words) {
  const Error error = start_error_of(start);
  INFO(error.what());
  CHECK(error.code() == errc::connect_timeout);
  CHECK(mentions(error, words));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::connect_timeout);
}

// While it lives, as if the user had set it.
struct ConnectTimeout {
  explicit ConnectTimeout(const char* value) { ::setenv("BULKHEAD_CONNECT_TIMEOUT", value, 1); }
  ~ConnectTimeout() { ::unsetenv("BULKHEAD_CONNECT_TIMEOUT"); }
  ConnectTimeout(const ConnectTimeout&) = delete;
  ConnectTimeout& operator=(const ConnectTimeout&) = delete;
};

}  // namespace

#ifdef BULKHEAD_FAULT_POINTS

// Fault start.dies (idle): a worker dies at any moment of its start, or `preload` or `warm_up`
// throws.
// Then: `start_failed` with its status at once, not at the timeout; one that was to replace another
// is started again after a pause, and no other worker notices.
TEST_CASE("a worker program that dies while it starts fails the start at once, with its status") {
  const LeakCheck leaks;
  for (const char* point :
       {"fork_server.before_greeting", "fork_server.after_greeting", "fork_server.before_serving",
        "fork_server.before_confining", "fork_server.before_fork", "worker.after_fork",
        "worker.before_open", "worker.after_open", "worker.before_ready"}) {
    INFO(point);
    const auto launch = told("BULKHEAD_FAULT", std::string(point) + ":1:kill");
    for (const Error& error : {worker_error(launch), pool_error(launch)}) {
      INFO(error.what());
      CHECK(error.code() == errc::start_failed);
      REQUIRE(error.crash());
      CHECK(error.crash()->status.signal == SIGKILL);
      CHECK(error.crash()->running.empty());
    }
  }
}

// Fault start.dies (idle)
TEST_CASE("a worker that exits while it starts is told with its code") {
  const LeakCheck leaks;
  const Error error = worker_error(told("BULKHEAD_FAULT", "worker.before_ready:1:exit=9"));
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::exited);
  CHECK(error.crash()->status == ExitStatus{.code = 9});
  CHECK(mentions(error, "exited with code 9 before it was ready"));
}

// Fault start.slow (idle): a worker starts slowly, or hangs as it starts.
// Then: waited for up to `connect_timeout`, then ended and told so.
TEST_CASE("a worker that hangs while it starts is ended at the timeout") {
  const LeakCheck leaks;
  for (const char* point : {"fork_server.before_greeting", "fork_server.before_serving",
                            "fork_server.before_confining", "fork_server.before_fork",
                            "worker.after_fork", "worker.before_open", "worker.before_ready"}) {
    INFO(point);
    const auto launch = told("BULKHEAD_FAULT", std::string(point) + ":1:stall");
    const Error error = start_error_of(
        [&] { return TestPool({.workers = 2, .launch = launch, .connect_timeout = 50ms}); });
    CHECK(error.code() == errc::connect_timeout);
    CHECK(mentions(error, "50 ms"));
    CHECK(error.crash());
  }
}

#endif

// Fault start.dies (idle)
TEST_CASE("a preload that dies or throws fails the start of all") {
  const LeakCheck leaks;
  const Error died = pool_error(told("TEST_PRELOAD", "die"));
  CHECK(died.code() == errc::start_failed);
  REQUIRE(died.crash());
  CHECK(died.crash()->status.signal == SIGABRT);

  const Error threw = pool_error(told("TEST_PRELOAD", "throw"));
  INFO(threw.what());
  CHECK(threw.code() == errc::start_failed);
  CHECK(mentions(threw, "preload threw std::runtime_error: told to throw"));
}

// Fault start.dies (idle)
TEST_CASE("a warm_up that dies or throws in every worker fails the start") {
  const LeakCheck leaks;
  const Error died = pool_error(told("TEST_WARM_UP", "die"));
  CHECK(died.code() == errc::start_failed);
  REQUIRE(died.crash());
  CHECK(died.crash()->status.signal == SIGABRT);
  CHECK(mentions(died, "died of SIGABRT before it was ready"));

  const Error threw = worker_error(told("TEST_WARM_UP", "throw"));
  INFO(threw.what());
  CHECK(threw.code() == errc::start_failed);
  CHECK(mentions(threw, "warm_up threw std::runtime_error: told to throw"));
}

// Fault start.slow (idle)
TEST_CASE("workers that start slowly are waited for") {
  const LeakCheck leaks;
  const TempDir folder;
  bool awaited = false;
  std::thread later([&] {
    awaited = wait_until([&] { return std::filesystem::exists(folder / "go.awaited"); });
    put(folder / "go", "");
  });
  TestPool pool{{.workers = 2, .launch = told("TEST_WARM_UP", "wait=" + (folder / "go").string())}};
  later.join();
  CHECK(awaited);
  CHECK(pool.stats().workers == 2);
}

// Fault start.slow (idle)
TEST_CASE("workers that start too slowly are ended") {
  const LeakCheck leaks;
  const auto start = [](const Launch& launch) {
    return [launch] { return TestPool({.workers = 2, .launch = launch, .connect_timeout = 60ms}); };
  };
  check_timeout(start(told("TEST_WARM_UP", "hang")), "60 ms");
  check_timeout(start(told("TEST_PRELOAD", "hang")), "preload has not returned");
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault start.slow (idle)
TEST_CASE("a program that is ready just after its timeout has timed out") {
  const LeakCheck leaks;
  const TempDir folder;
  static std::string go;
  go = folder / "go";
  static bool served;
  served = false;
  // As it is about to be killed, it serves.
  platform::set_fault_hook([](std::string_view point) {
    if (point != "app.before_kill") return;
    put(go, "");
    served = wait_until([] { return is_polling(platform::children_of(::getpid()).front()); });
  });
  check_timeout(
      [] {
        return TestWorker::start(
            {.launch = told("TEST_PRELOAD", "wait=" + go), .connect_timeout = 500ms});
      },
      "preload has not returned");
  platform::set_fault_hook(nullptr);
  CHECK(served);
}

#endif

// Fault start.slow (idle)
TEST_CASE("the user's environment overrides the connect timeout") {
  const LeakCheck leaks;
  const auto hang = told("TEST_WARM_UP", "hang");
  {
    const ConnectTimeout one_second("1");
    check_timeout([&] { return TestWorker::start({.launch = hang}); }, "1000 ms");
  }
  for (const char* ignored : {"", "0", "soon", "-1", "1.5"}) {
    const ConnectTimeout none(ignored);
    INFO(ignored);
    check_timeout([&] { return TestWorker::start({.launch = hang, .connect_timeout = 40ms}); },
                  "40 ms");
  }
}

// Fault start.some (idle): some workers of a pool do not start.
// Then: the pool begins with the others, and starts the rest again.
TEST_CASE("a pool of which some workers start is a pool") {
  const LeakCheck leaks;
  const TempDir folder;
  // The first that comes there dies; it was the first to see no file.
  TestPool pool{
      {.workers = 2, .launch = told("TEST_WARM_UP", "die_first=" + (folder / "one").string())}};
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(wait_until([&] { return pool.stats().workers == 2; }));
  CHECK(pool.stats().crashes == 1);
  CHECK(pool.stats().restarts == 1);
}
