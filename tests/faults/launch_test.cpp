// The ways to get a worker: forked, executed because it shall be, or because its program has
// threads; inside of another worker; from a program whose file was replaced.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

Launch told(const char* variable, const std::string& what) {
  return Launch::self().env(variable, what);
}

// Every kind of launch that executes each worker.
std::vector<Launch> executing() {
  return {Launch::self().fresh(), told("TEST_PRELOAD", "thread"), told("TEST_BEFORE", "thread")};
}

std::string status_of(pid_t pid) {
  return platform::read_file("/proc/" + std::to_string(pid) + "/status");
}

bool contained(pid_t pid) {
  const std::string limits = platform::read_file("/proc/" + std::to_string(pid) + "/limits");
  const auto core = limits.find("Max core file size");
  return status_of(pid).find("NoNewPrivs:\t1") != std::string::npos &&
         limits.substr(core, 40).find(" 0 ") != std::string::npos;
}

}  // namespace

// Fault start.threads: the program has threads when it begins to serve, or `preload` leaves one.
// Then: its workers are executed instead of forked, and each prepares itself.
TEST_CASE("workers that are executed answer, crash and end as forked ones do") {
  for (const Launch& launch : executing()) {
    const LeakCheck leaks;
    const TempDir folder;
    TestPool pool{{.workers = 2, .launch = Launch(launch).arg("given").env("NOTE", "kept")}};
    const View view = value_of(pool.run(LookAround{}));
    CHECK(view.session == view.pid);
    CHECK(view.input_is_empty);
    CHECK(view.arguments.back() == "given");
    CHECK(std::count(view.environment.begin(), view.environment.end(), "NOTE=kept") == 1);
    for (const auto& entry : view.environment) CHECK_FALSE(entry.starts_with("BULKHEAD_CONTROL"));
    // Its standard ones, its doorbell, the one for bytes, and one in reserve.
    CHECK(view.descriptors.size() == 7);

    const pid_t helper = value_of(pool.run(Start{Helper::grandchild}));
    CHECK(error_of(pool.run(Die{Death::segmentation_fault})).crash()->status.signal == SIGSEGV);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    CHECK(wait_until([&] { return pool.stats().workers == 2; }));
    REQUIRE(::kill(view.parent, SIGKILL) == 0);  // the fork server
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    CHECK(wait_until([&] { return !platform::start_time(helper); }));
    CHECK(wait_until([&] { return pool.stats().restarts == 3 && pool.stats().workers == 2; }));
    CHECK(pool.shutdown().workers_left == 2);
  }
}

TEST_CASE("a fresh worker shares nothing with others, and prepares itself") {
  const LeakCheck leaks;
  const TempDir folder;
  const auto touch = "touch=" + (folder / "prepared").string();
  auto one = TestWorker::start({.launch = told("TEST_PRELOAD", touch).fresh()});
  CHECK(pids_in(folder / "prepared") == std::vector<pid_t>{one.pid()});
  auto other = TestWorker::start({.launch = told("TEST_PRELOAD", touch).fresh(false)});
  CHECK(pids_in(folder / "prepared") != std::vector<pid_t>{other.pid()});
  const auto layout = [](pid_t pid) {
    const auto maps = platform::read_file("/proc/" + std::to_string(pid) + "/maps");
    const auto stack = maps.find("[stack]");
    const auto line = maps.rfind('\n', stack) + 1;
    return maps.substr(line, stack - line);
  };
  if (::geteuid() != 0) {
    WARN("only root may see how a worker's memory is laid out");
    return;
  }
  TestPool pool{{.workers = 2, .launch = Launch::self().fresh()}};
  const Gate gate;
  const auto first = pool.run(gate.call("first")), second = pool.run(gate.call("second"));
  CHECK(layout(gate.runner("first")) != layout(gate.runner("second")));
  gate.open();
}

// Fault start.threads
TEST_CASE("a program that has threads as it begins to serve has all of them in each worker") {
  const LeakCheck leaks;
  const auto threads = [](const Launch& launch) {
    auto worker = TestWorker::start({.launch = launch});
    return value_of(worker.run(LookAround{})).threads;
  };
  const std::size_t none = threads(Launch::self());
  CHECK(threads(told("TEST_BEFORE", "thread")) > none);
  CHECK(threads(told("TEST_PRELOAD", "thread")) > none);
}

// Fault start.dies (idle)
TEST_CASE("an executed worker whose preload dies or throws says so") {
  const LeakCheck leaks;
  const auto start = [](const char* what) {
    const auto launch = told("TEST_PRELOAD", what).fresh();
    return start_error_of([&] { return TestPool({.workers = 2, .launch = launch}); });
  };
  const Error died = start("die"), threw = start("throw");
  CHECK(died.code() == errc::start_failed);
  REQUIRE(died.crash());
  CHECK(died.crash()->status.signal == SIGABRT);
  CHECK(threw.code() == errc::start_failed);
  CHECK(mentions(threw, "preload threw std::runtime_error: told to throw"));
}

TEST_CASE("workers are contained, forked or executed") {
  const LeakCheck leaks;
  for (const bool fresh : {false, true}) {
    auto worker = TestWorker::start({.launch = Launch::self().fresh(fresh)});
    CHECK(contained(worker.pid()));
  }
  CHECK_FALSE(contained(::getpid()));
}

// Fault host.several-pools: an app has several pools, of several services, and workers have pools
// of their own.
// Then: what goes wrong in one is noticed in no other.
TEST_CASE("a worker may have workers of its own, and they end with it") {
  const LeakCheck leaks;
  for (const bool fresh : {false, true}) {
    TestPool pool{{.workers = 1, .launch = Launch::self().fresh(fresh)}};
    const auto pids = value_of(pool.run(Nest{3}));
    CHECK(std::set(pids.begin(), pids.end()).size() == 4);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
}

// Fault end.helpers (one call): a worker has started helpers: plain, with `setsid`, double-forked,
// holding its output.
// Then: they end with it; nothing waits for their pipes.
TEST_CASE("a worker that is killed takes the workers of its workers along") {
  const LeakCheck leaks;
  const TempDir folder;
  const auto begun = folder / "begun";
  TestPool pool{{.workers = 1}};
  const pid_t top = pid_of(pool);
  auto nested = pool.run(Nest{2, begun.string()});
  REQUIRE(wait_until([&] { return std::filesystem::exists(begun); }));
  REQUIRE(::kill(top, SIGKILL) == 0);
  CHECK(error_of(std::move(nested)).code() == errc::worker_crashed);
  const pid_t bottom = pids_in(begun).at(0);
  CHECK(wait_until([&] { return !platform::start_time(bottom); }));
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault start.depth: a worker's worker's worker ... starts its own kind.
// Then: refused with `start_failed` at the fifth level.
TEST_CASE("workers of workers without end are refused") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const Error error = error_of(pool.run(Nest{20}));
  INFO(error.what());
  CHECK(error.code() == errc::handler_failed);
  CHECK(mentions(error, "4 workers deep"));
}

// Fault host.several-pools
TEST_CASE("one program serves several services, to several pools") {
  const LeakCheck leaks;
  TestPool test{{.workers = 2}};
  Pool<SecondService> second{{.workers = 2}};
  auto lone = Worker<SecondService>::start({.launch = Launch::self().fresh()});
  CHECK(value_of(test.run(Echo{"hello"})) == "hello");
  CHECK(value_of(second.run(Echo{"hello"})) == "second hello");
  CHECK(value_of(lone.run(Echo{"hello"})) == "second hello");
}

// Fault start.replaced-program: the program's file is replaced or removed.
// Then: workers that are started later are still the program that the pool was started with.
TEST_CASE("an app whose program was replaced on disk goes on with the old one") {
  const LeakCheck leaks;
  App app("replaced");
  CHECK(app.ending().status == 0);
}
