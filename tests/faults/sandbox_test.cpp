// Workers that take more than their sandbox lets them.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "faults/calls.hpp"
#include "platform/fd.hpp"
#include "platform/limits.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

Launch forked() { return Launch::self(); }
Launch executed() { return Launch::self().fresh(); }

void check_limit(const Error& error, const std::string& limit, int signal) {
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "was ended at a limit (Sandbox::" + limit + ") while it ran "));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::limit);
  CHECK(error.crash()->limit == limit);
  CHECK(error.crash()->status.signal == signal);
}

// Whether it gains no privileges, as the kernel says.
bool gains_none(pid_t pid) {
  const auto status = platform::read_file("/proc/" + std::to_string(pid) + "/status");
  return status.find("NoNewPrivs:\t1") != status.npos;
}

}  // namespace

// Fault limit.memory (one call): a handler takes more memory than `Sandbox::memory`.
// Then: by a cgroup, its worker is killed, and the cause is `out_of_memory`; by RLIMIT_AS, it gets
// `std::bad_alloc`. The pool goes on.
TEST_CASE("a handler that takes too much memory gets none, or loses its worker") {
  if (BULKHEAD_SANITIZED) return;  // which ends a process that gets none
  for (const Launch& launch : {forked(), executed()}) {
    const LeakCheck leaks;
    TestPool pool{
        {.workers = 1, .launch = launch, .sandbox = Sandbox::contained().memory(64 * MiB)}};
    const Containment::Measure memory = pool.containment().memory;
    CHECK(memory.in_force);
    value_of(pool.run(Leak{16 * MiB}));
    const Error error = error_of(pool.run(Leak{256 * MiB}));
    INFO(error.what());
    if (memory.how == "RLIMIT_AS") {
      CHECK(error.code() == errc::handler_failed);
      CHECK(mentions(error, "bad_alloc"));
    } else {
      REQUIRE(error.crash());
      CHECK(error.crash()->cause == Cause::out_of_memory);
    }
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    CHECK(value_of(pool.run(Answer{2 * MiB})).size() == 2 * MiB);
  }
}

// Fault limit.cpu (one call): a handler computes for longer than `Sandbox::cpu`.
// Then: its worker ends with cause `limit`; a SIGXCPU that somebody else sends is `signaled`.
TEST_CASE("a handler that computes for too long loses its worker, and the pool goes on") {
  for (const Launch& launch : {forked(), executed()}) {
    const LeakCheck leaks;
    TestPool pool{{.workers = 1,
                   .launch = launch,
                   .sandbox = Sandbox::contained().cpu(std::chrono::seconds(1))}};
    CHECK(pool.containment().cpu.in_force);
    CHECK(pool.containment().cpu.how == "RLIMIT_CPU");
    check_limit(error_of(pool.run(Compute{60'000})), "cpu", SIGXCPU);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
    CHECK(pool.stats().ends.at(Cause::limit) == 1);

    const Gate gate;
    auto call = pool.run(gate.call("blocked"));
    REQUIRE(::kill(gate.runner("blocked"), SIGXCPU) == 0);
    const Error error = error_of(std::move(call));
    REQUIRE(error.crash());
    CHECK(error.crash()->cause == Cause::signaled);
    CHECK(error.crash()->limit.empty());
  }
}

// Fault limit.files (one call): a handler opens more files than `Sandbox::open_files`.
// Then: it cannot, and its worker serves on, large messages included.
TEST_CASE("a handler that opens too many files cannot, and its worker serves on") {
  for (const Launch& launch : {forked(), executed()}) {
    const LeakCheck leaks;
    TestPool pool{{.workers = 1, .launch = launch, .sandbox = Sandbox::contained().open_files(50)}};
    CHECK(pool.containment().open_files.how == "RLIMIT_NOFILE");
    const pid_t pid = pid_of(pool);
    const auto taken = value_of(pool.run(Grab{Greed::descriptors, 1000}));
    CHECK(taken >= 50);
    CHECK(taken < 100);
    const std::string large(2 * MiB, 'x');
    CHECK(value_of(pool.run(Echo{large})) == large);
    CHECK(pid_of(pool) == pid);
  }
}

// Fault limit.file-size (one call): a handler writes a file larger than `Sandbox::file_size`.
// Then: its worker ends with cause `limit`. Large responses are sent all the same.
TEST_CASE("a handler that writes too large a file loses its worker, and the pool goes on") {
  for (const Launch& launch : {forked(), executed()}) {
    const LeakCheck leaks;
    const TempDir folder;
    TestPool pool{
        {.workers = 1, .launch = launch, .sandbox = Sandbox::contained().file_size(4096)}};
    CHECK(pool.containment().file_size.how == "RLIMIT_FSIZE");
    value_of(pool.run(Note{folder / "log", std::string(4000, 'x')}));
    const pid_t pid = pid_of(pool);
    CHECK(value_of(pool.run(Answer{2 * MiB})).size() == 2 * MiB);
    CHECK(pid_of(pool) == pid);
    check_limit(error_of(pool.run(Note{folder / "log", std::string(4000, 'x')})), "file_size",
                SIGXFSZ);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
}

// Fault limit.processes (one call): a handler starts more processes than `Sandbox::processes`.
// Then: it cannot, where cgroups or the user's rights let this be enforced; elsewhere the pool does
// not start, with `not_enforced`, or says so.
TEST_CASE("a limit of processes holds, or keeps a pool from starting") {
  const LeakCheck leaks;
  Sandbox sandbox = Sandbox::contained().processes(8).best_effort();
  TestPool pool{{.workers = 1, .sandbox = sandbox}};
  const Containment::Measure processes = pool.containment().processes;
  INFO(processes.how);
  if (processes.in_force) {
    CHECK(value_of(pool.run(Grab{Greed::processes, 30})) < 8);
    return;
  }
  CHECK(processes.how.ends_with("RLIMIT_NPROC does not bind this user"));
  CHECK(value_of(pool.run(Grab{Greed::processes, 30})) == 30);
  sandbox.best_effort(false);
  for (const bool lazy : {false, true}) {
    const Error error =
        start_error_of([&] { return TestPool({.workers = 2, .lazy = lazy, .sandbox = sandbox}); });
    INFO(error.what());
    CHECK(error.code() == errc::not_enforced);
    CHECK(mentions(error, "cannot enforce Sandbox::processes: "));
    CHECK(mentions(error, processes.how));
  }
  const Error error = start_error_of([&] { return TestWorker::start({.sandbox = sandbox}); });
  CHECK(error.code() == errc::not_enforced);
}

// Fault limit.core (idle): a core dump is asked for by `Sandbox::core`, or is not.
// Then: without it there is none, and debuggers stay outside; with it, up to so many bytes.
TEST_CASE("workers dump no core unless they are asked to") {
  const LeakCheck leaks;
  TestPool usual{{.workers = 1}};
  CHECK(value_of(usual.run(LookAround{})).core_limit == 0);
  CHECK_FALSE(value_of(usual.run(LookAround{})).open_to_debuggers);
  CHECK(usual.containment().core.in_force);

  TestPool dumping{{.workers = 1, .sandbox = Sandbox::contained().core(0)}};
  CHECK(value_of(dumping.run(LookAround{})).open_to_debuggers);
  CHECK(dumping.containment().core.in_force != platform::pipes_core_dumps());
}

// Fault limit.core (one call)
TEST_CASE("a worker that may dump its core leaves one, and its crash says so") {
  if (platform::pipes_core_dumps() || BULKHEAD_SANITIZED) return;  // they go to somebody else
  const LeakCheck leaks;
  const TempDir folder;
  TestPool pool{{.workers = 1,
                 .launch = forked().working_directory(folder.path()),
                 .sandbox = Sandbox::contained().core(4 * MiB)}};
  const Error error = error_of(pool.run(Die{Death::segmentation_fault}));
  INFO(error.what());
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.signal = SIGSEGV, .core_dumped = true});
  CHECK(mentions(error, "died of SIGSEGV, and dumped its core, while it ran Die"));
  const std::string pattern = platform::read_file("/proc/sys/kernel/core_pattern");
  if (pattern.starts_with("core")) CHECK_FALSE(std::filesystem::is_empty(folder.path()));
}

// Fault limit.none (idle): a sandbox of a lower level, or none, as in an `InlinePool`.
// Then: `containment()` says what holds workers, and what does not.
TEST_CASE("a pool and a worker tell what holds their processes") {
  const LeakCheck leaks;
  TestPool contained{{.workers = 1}};
  CHECK(contained.containment().no_new_privs.in_force);
  CHECK(contained.containment().session.in_force);
  CHECK(contained.containment().descriptors.in_force);
  CHECK(contained.containment().tree.in_force);
  CHECK_FALSE(contained.containment().memory.in_force);
  CHECK(contained.containment().memory.how == "not asked for");
  CHECK(gains_none(pid_of(contained)));

  auto none = TestWorker::start({.sandbox = Sandbox::none()});
  CHECK_FALSE(none.containment().no_new_privs.in_force);
  CHECK_FALSE(none.containment().core.in_force);
  CHECK(none.containment().session.in_force);
  const bool inherited =
      platform::read_file("/proc/self/status").find("NoNewPrivs:\t1") != std::string::npos;
  CHECK(gains_none(none.pid()) == inherited);

  CHECK_FALSE(TestWorker().containment().session.in_force);
}

TEST_CASE("what holds a worker after a reload is told, too") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .sandbox = Sandbox::contained().file_size(4096)}};
  pool.reload();
  CHECK(pool.containment().file_size.in_force);
  const TempDir folder;
  check_limit(error_of(pool.run(Note{folder / "log", std::string(5000, 'x')})), "file_size",
              SIGXFSZ);
}

TEST_CASE("limits that make no sense are refused") {
  CHECK_THROWS_AS(Sandbox::contained().memory(0), std::invalid_argument);
  CHECK_THROWS_AS(Sandbox::contained().cpu(std::chrono::seconds(0)), std::invalid_argument);
  CHECK_THROWS_AS(Sandbox::contained().cpu(std::chrono::seconds(-1)), std::invalid_argument);
  CHECK_THROWS_AS(Sandbox::contained().processes(0), std::invalid_argument);
}
