#include <catch2/catch.hpp>
#include <csignal>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

struct Ways {
  Death death;
  ExitStatus status;
  const char* words;
};
const Ways ways[] = {
    {Death::segmentation_fault, {.signal = SIGSEGV}, "died of SIGSEGV"},
    {Death::abort, {.signal = SIGABRT}, "died of SIGABRT"},
    {Death::illegal_instruction, {.signal = SIGILL}, "died of SIGILL"},
    {Death::division_by_zero, {.signal = SIGFPE}, "died of SIGFPE"},
    {Death::bus_error, {.signal = SIGBUS}, "died of SIGBUS"},
    {Death::stack_overflow, {.signal = SIGSEGV}, "died of SIGSEGV"},
    {Death::kill, {.signal = SIGKILL}, "died of SIGKILL"},
    {Death::bad_system_call, {.signal = SIGSYS}, "died of SIGSYS"},
    {Death::exit_0, {.code = 0}, "exited with code 0"},
    {Death::exit_3, {.code = 3}, "exited with code 3"},
    {Death::throw_through_noexcept, {.signal = SIGABRT}, "died of SIGABRT"},
    {Death::end_of_thread, {.code = 1}, "exited with code 1"},
};

void check_report(const Error& error, const Ways& way, pid_t pid) {
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(
      error, "test worker " + std::to_string(pid) + " " + way.words + " while it ran Die (call "));
  CHECK(mentions(error, "attempt 1)"));
  REQUIRE(error.crash());
  const CrashReport& report = *error.crash();
  CHECK(report.pid == pid);
  CHECK(report.service == "test");
  CHECK(report.cause == (way.status.code ? Cause::exited : Cause::signaled));
  CHECK(report.status.code == way.status.code);
  CHECK(report.status.signal == way.status.signal);
  CHECK_FALSE(report.status.core_dumped);
  REQUIRE(report.running.size() == 1);
  CHECK(report.running[0].request == "Die");
  CHECK(report.running[0].attempt == 1);
  // It is told by a clock that may be a tick behind.
  CHECK(report.running[0].age <= report.uptime + std::chrono::milliseconds(20));
  CHECK(report.stderr_tail.starts_with("before the end\n"));
  CHECK(report.usage.ru_maxrss > 0);
}

}  // namespace

// Fault crash.in-handler (one call): a handler ends its process: by a signal, `exit`, `_exit`, also
// with 0, an exception that nobody catches, or an overflow of its stack.
// Then: `worker_crashed`, with signal or exit code, the call, its age and attempt, the last words;
// the worker is replaced.
TEST_CASE("a call that ends its worker fails with how it ended, and the pool goes on") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  std::uint64_t crashes = 0;
  for (const Ways& way : ways) {
    INFO(way.words);
    const pid_t pid = pid_of(pool);
    value_of(pool.run(Say{"before the end\n"}));
    check_report(error_of(pool.run(Die{way.death})), way, pid);
    CHECK(value_of(pool.run(Add{40, 2})) == 42);
    CHECK(pid_of(pool) != pid);
    const PoolStats stats = pool.stats();
    CHECK(stats.crashes == ++crashes);
    CHECK(stats.restarts == crashes);
    CHECK(stats.failed == crashes);
    CHECK(stats.workers == 1);
  }
}

// Fault crash.in-handler (one call)
TEST_CASE("what an uncaught exception said is in the report") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const Error error = error_of(pool.run(Die{Death::throw_through_noexcept}));
  REQUIRE(error.crash());
  CHECK(error.crash()->stderr_tail.find("nobody expected this") != std::string::npos);
}

// Fault crash.lone (one call): a `Worker` by itself dies.
// Then: it is not replaced; later calls fail with its report.
TEST_CASE("a worker by itself is not restarted, and says how it ended") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  const pid_t pid = worker.pid();
  CHECK(worker.alive());
  CHECK_FALSE(worker.crash());
  CHECK(value_of(worker.run(WhoAmI{})).first == pid);

  const Error error = error_of(worker.run(Die{Death::segmentation_fault}));
  CHECK(error.code() == errc::worker_crashed);
  CHECK_FALSE(worker.alive());
  CHECK(worker.pid() == pid);
  REQUIRE(worker.crash());
  CHECK(worker.crash()->status.signal == SIGSEGV);
  CHECK(worker.crash()->running.size() == 1);

  const Error later = error_of(worker.run(Add{1, 2}));
  INFO(later.what());
  CHECK(later.code() == errc::worker_crashed);
  REQUIRE(later.crash());
  CHECK(later.crash()->pid == pid);
}

// Fault crash.signal (idle): workers are killed from outside.
// Then: the calls that they ran fail with the signal, or are tried again; if they ran none, none.
TEST_CASE("a worker that is killed while nothing runs fails no call") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const pid_t pid = pid_of(pool);
  REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(pid_of(pool) != pid);
  CHECK(pool.stats().crashes == 1);
  CHECK(pool.stats().failed == 0);
}

// Fault crash.signal (many calls)
TEST_CASE("calls that wait behind a crash go to the next worker unnoticed") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  auto first = pool.run(gate.call("first"));
  const pid_t pid = gate.runner("first");
  std::vector<Future<std::string>> waiting;
  for (int i = 0; i < 300; ++i) waiting.push_back(pool.run(Echo{std::to_string(i)}));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  const Error error = error_of(std::move(first));
  REQUIRE(error.crash());
  CHECK(error.crash()->running.size() == 1);
  for (int i = 0; i < 300; ++i)
    CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == std::to_string(i));
  CHECK(pool.stats().crashes == 1);
}

// Fault crash.all (many calls): all workers die at once.
// Then: what ran fails, what waited is answered by their successors.
TEST_CASE("all workers killed at once: what ran fails, what waited is answered") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 3}};
  std::vector<Future<pid_t>> running;
  for (const char* name : {"1", "2", "3"}) running.push_back(pool.run(gate.call(name)));
  std::vector<pid_t> pids;
  for (const char* name : {"1", "2", "3"}) pids.push_back(gate.runner(name));
  std::vector<Future<std::string>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(pool.run(Echo{std::to_string(i)}));
  for (const pid_t pid : pids) REQUIRE(::kill(pid, SIGKILL) == 0);
  for (auto& call : running) {
    const Error error = error_of(std::move(call));
    CHECK(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->running.size() == 1);
  }
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == std::to_string(i));
  CHECK(wait_until([&] { return pool.stats().workers == 3; }));
  CHECK(pool.stats().crashes == 3);
  CHECK(pool.stats().restarts == 3);
}

// Fault crash.begun (one call)
TEST_CASE("a call that dies in unpacking its request counts as begun") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const Error error = error_of(pool.run(Trouble{Where::dying_while_loading_request}));
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGABRT);
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].request == "Trouble");
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault crash.poison (many calls): a request kills each worker that it touches.
// Then: after `max_attempts` it is given up; the others go on.
TEST_CASE("a request that kills each worker is given up, and harms no other") {
  const LeakCheck leaks;
  const TempDir folder;
  TestPool pool{{.workers = 2, .max_attempts = 3}};
  std::vector<Future<int>> others;
  for (int i = 0; i < 100; ++i) others.push_back(pool.run(Add{i, 1}));
  auto poison = pool.run(Poison{folder / "log"});
  for (int i = 100; i < 200; ++i) others.push_back(pool.run(Add{i, 1}));

  const Error error = error_of(std::move(poison));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "attempt 3"));
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGABRT);
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].attempt == 3);
  const auto pids = pids_in(folder / "log");
  CHECK(pids.size() == 3);
  CHECK(error.crash()->pid == pids.back());
  for (int i = 0; i < 200; ++i)
    CHECK(value_of(std::move(others[static_cast<std::size_t>(i)])) == i + 1);
  CHECK(pool.stats().crashes == 3);
  CHECK(pool.stats().failed == 1);
}
