// Where a worker crashed: the stack in its report.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <thread>

#include "faults/threads.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// A sanitizer tells of crashes in its own way, and ends the process before there is a stack.
constexpr bool has_stacks = BULKHEAD_SANITIZED == 0;

std::string text_of(const CrashReport& report) {
  std::string text;
  for (const std::string& line : report.stack) text += line + "\n";
  return text;
}

CrashReport report_of(Future<void> future) {
  const Error error = error_of(std::move(future));
  if (!error.crash()) throw std::runtime_error("nothing is known about its end");
  return *error.crash();
}

// The handler is in the stack; by its name and line where these are to be had.
void check_stack(const CrashReport& report) {
  INFO(text_of(report));
  if (!has_stacks) return;
  REQUIRE_FALSE(report.stack.empty());
#ifdef BULKHEAD_LIBDW
  const auto line = std::find_if(report.stack.begin(), report.stack.end(), [](const auto& one) {
    return one.starts_with("bulkhead::test::die(bulkhead::test::Die const&) (");
  });
  REQUIRE(line != report.stack.end());
  CHECK(line->find("deaths.cpp:") != std::string::npos);
#else
  CHECK(text_of(report).find("faults_tests+0x") != std::string::npos);
#endif
}

}  // namespace

// Fault crash.stack (one call): a handler crashes, on any thread, in a worker of any kind.
// Then: the report has its stack, and the signal is the true one.
TEST_CASE("a crash says where in the code it was") {
  const LeakCheck leaks;
  const Launch launch = GENERATE(Launch::self(), Launch::self().fresh(), on_threads(3));
  TestPool pool{{.workers = 1, .launch = launch}};
  const std::pair<Death, int> ways[] = {{Death::segmentation_fault, SIGSEGV},
                                        {Death::bus_error, SIGBUS},
                                        {Death::illegal_instruction, SIGILL},
                                        {Death::division_by_zero, SIGFPE},
                                        {Death::abort, SIGABRT},
                                        {Death::bad_system_call, SIGSYS},
                                        {Death::throw_through_noexcept, SIGABRT}};
  for (const auto& [death, signal] : ways) {
    INFO(signal);
    const CrashReport report = report_of(pool.run(Die{death}));
    CHECK(report.status.signal == signal);
    CHECK(report.cause == Cause::signaled);
    check_stack(report);
  }
}

// Fault crash.overflow (one call): the stack of a handler's thread overflows.
// Then: the report has as much of it as it keeps; it died of SIGSEGV.
TEST_CASE("a stack that overflowed is in the report") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = GENERATE(Launch::self(), on_threads(3))}};
  const CrashReport report = report_of(pool.run(Die{Death::stack_overflow}));
  INFO(text_of(report));
  CHECK(report.status.signal == SIGSEGV);
  if (!has_stacks) return;
  CHECK(report.stack.size() == 64);
#ifdef BULKHEAD_LIBDW
  CHECK(report.stack.back().find("fill_stack") != std::string::npos);
#endif
}

// Fault crash.of-handler (one call): what takes the stack of a crash crashes itself.
// Then: the worker ends by its first signal; the report has the stack as far as it came.
TEST_CASE("a stack that cannot be read does not hide how the worker ended") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const CrashReport report = report_of(pool.run(Die{Death::jump_to_nowhere}));
  CHECK(report.status.signal == SIGSEGV);
  if (has_stacks) CHECK(report.stack == std::vector<std::string>{"0x1234"});
}

// Fault crash.own-handler (one call): the program handles SIGSEGV itself.
// Then: its handler is called, and the worker ends as that says.
TEST_CASE("a handler of signals that the program has stays") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = Launch::self().env("TEST_WARM_UP", "handle_crashes")}};
  const CrashReport report = report_of(pool.run(Die{Death::segmentation_fault}));
  CHECK(report.status == ExitStatus{.code = 77});
  CHECK(report.stack.empty());
}

// Fault crash.of-fork (one call): a process that a handler forked crashes.
// Then: it dies of its signal, and the worker is told of by nobody.
TEST_CASE("a fork of a worker that crashes is not taken for the worker") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const CrashReport report = report_of(pool.run(Die{Death::crash_of_fork}));
  CHECK(report.status == ExitStatus{.code = SIGSEGV});
  CHECK(report.stack.empty());
}

// Fault crash.uncaught (one call): an exception leaves a thread of the handler's.
// Then: its type and text are in the last words; the stack is that of its thread.
TEST_CASE("an exception that nobody catches in another thread is told with its type and text") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const CrashReport report = report_of(pool.run(Die{Death::throw_in_thread}));
  CHECK(report.status.signal == SIGABRT);
  INFO(report.stderr_tail);
  CHECK(report.stderr_tail.find("std::logic_error") != std::string::npos);
  CHECK(report.stderr_tail.find("nobody expected this") != std::string::npos);
#ifdef BULKHEAD_LIBDW
  if (has_stacks) CHECK(text_of(report).find("throw_something") != std::string::npos);
#endif
}

// Fault crash.told-early (one call): a worker crashes while its fork server hangs, or the kernel is
// slow to take its memory down.
// Then: the call fails at once, with signal, usage and stack.
TEST_CASE("a worker tells of its crash itself, whatever its fork server does") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const pid_t pid = pid_of(pool);
  const auto line =
      platform::parse_process_stat(platform::read_file("/proc/" + std::to_string(pid) + "/stat"));
  REQUIRE(line);
  REQUIRE(::kill(line->parent, SIGSTOP) == 0);
  const CrashReport report = report_of(pool.run(Die{Death::segmentation_fault}));
  REQUIRE(::kill(line->parent, SIGCONT) == 0);
  if (has_stacks) CHECK(report.status == ExitStatus{.signal = SIGSEGV});
  if (has_stacks) CHECK(report.usage.ru_maxrss > 0);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

TEST_CASE("the stack of a crash is still told when the pool is gone") {
  const LeakCheck leaks;
  std::optional<Error> error;
  {
    TestPool pool{{.workers = 1}};
    error = error_of(pool.run(Die{Death::abort}));
  }
  REQUIRE(error->crash());
  check_stack(*error->crash());
  CHECK(error->crash() == error->crash());
}

TEST_CASE("a worker by itself tells the stack of its crash, and many may ask at once") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  const Error error = error_of(worker.run(Die{Death::abort}));
  std::vector<std::thread> askers;
  std::atomic<std::size_t> alike = 0;
  const Error copy = error;
  for (int i = 0; i < 4; ++i)
    askers.emplace_back([&] { alike += error.crash()->stack == copy.crash()->stack; });
  for (auto& asker : askers) asker.join();
  CHECK(alike == 4);
  check_stack(*error.crash());
  REQUIRE(worker.crash());
  CHECK(worker.crash()->stack == error.crash()->stack);
}
