#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

// A file with this text, which may be executed.
std::filesystem::path script(const TempDir& folder, const std::string& text) {
  const auto path = folder / "script";
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0755);
  return path;
}

Error error_of_launch(const Launch& launch, std::chrono::milliseconds timeout = 20'000ms) {
  const auto worker = start_error_of(
      [&] { return TestWorker::start({.launch = launch, .connect_timeout = timeout}); });
  const auto pool = start_error_of(
      [&] { return TestPool({.workers = 2, .launch = launch, .connect_timeout = timeout}); });
  CHECK(worker.code() == pool.code());
  CHECK(worker.system() == pool.system());
  return pool;
}

Error error_of_program(const std::filesystem::path& program,
                       std::chrono::milliseconds timeout = 20'000ms) {
  return error_of_launch(Launch::executable(program), timeout);
}

void check_not_executed(const Error& error, int number, const std::string& named) {
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  CHECK(error.system() == std::error_code(number, std::generic_category()));
  CHECK(mentions(error, named));
  CHECK(error.crash() == nullptr);
}

}  // namespace

// Fault start.program (idle): the program is not there, not executable, or no program; its working
// directory is not there, its arguments are too long, its library is missing.
// Then: `start_failed` at once, with the errno in `system()`, or with what the dynamic linker said;
// where it was to replace another, calls wait until it can be started.
TEST_CASE("a program that is not there fails at once, with its errno") {
  const LeakCheck leaks;
  check_not_executed(error_of_program("/no/such/program"), ENOENT, "/no/such/program");
}

// Fault start.program (idle)
TEST_CASE("a program that may not be executed fails at once") {
  const LeakCheck leaks;
  const TempDir folder;
  std::ofstream(folder / "text") << "words";
  check_not_executed(error_of_program(folder / "text"), EACCES, "text");
  check_not_executed(error_of_program(folder.path()), EACCES, folder.path());
}

// Fault start.program (idle)
TEST_CASE("a file that is no program fails at once") {
  const LeakCheck leaks;
  const TempDir folder;
  check_not_executed(error_of_program(script(folder, "just words\n")), ENOEXEC, "script");
  check_not_executed(error_of_program(script(folder,
                                             "\x7f"
                                             "ELF but no more")),
                     ENOEXEC, "script");
  check_not_executed(error_of_program(script(folder, "")), ENOEXEC, "script");
}

// Fault start.program (idle)
TEST_CASE("a working directory that is not there fails at once") {
  const LeakCheck leaks;
  check_not_executed(error_of_launch(Launch::self().working_directory("/no/such/folder")), ENOENT,
                     "/no/such/folder");
}

// Fault start.program (idle)
TEST_CASE("an argument that is too long fails at once") {
  const LeakCheck leaks;
  check_not_executed(error_of_launch(Launch::self().arg(std::string(1 << 20, 'x'))), E2BIG,
                     "Argument list too long");
  check_not_executed(error_of_launch(Launch::self().env("LONG", std::string(1 << 20, 'x'))), E2BIG,
                     "Argument list too long");
}

// Fault start.program (idle)
TEST_CASE("a program whose library is gone tells which") {
  const LeakCheck leaks;
  const Error error = error_of_program(NEEDS_LIBRARY);
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.code = 127});
  CHECK(error.crash()->stderr_tail.find("libvanished_library") != std::string::npos);
  CHECK(mentions(error, "libvanished_library"));
}

// Fault start.no-worker (idle): the program is no worker: it ends, or reads, waits, or sends
// something else.
// Then: `start_failed` with its status and last words; what keeps quiet is ended at
// `connect_timeout`.
TEST_CASE("a program that is no worker and ends is told with its status, not waited for") {
  const LeakCheck leaks;
  const Error error = error_of_program("/bin/true");
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::exited);
  CHECK(error.crash()->status == ExitStatus{.code = 0});
  CHECK(error.crash()->pid > 0);
  CHECK(error.crash()->service == "test");
  CHECK(mentions(error, std::to_string(error.crash()->pid)));
}

// Fault start.no-worker (idle)
TEST_CASE("a program that reads its empty input is no worker") {
  const LeakCheck leaks;
  const Error error = error_of_program("/bin/cat");
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.code = 0});
}

// Fault start.no-worker (idle)
TEST_CASE("the last words of a program that is no worker are told") {
  const LeakCheck leaks;
  const TempDir folder;
  const Error error =
      error_of_program(script(folder, "#!/bin/sh\necho first >&2\necho last words >&2\nexit 3\n"));
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->status == ExitStatus{.code = 3});
  CHECK(error.crash()->stderr_tail == "first\nlast words\n");
  CHECK(mentions(error, "exited with code 3"));
  CHECK(mentions(error, "last words"));
}

// Fault start.no-worker (idle)
TEST_CASE("a program that kills itself is told with its signal") {
  const LeakCheck leaks;
  const TempDir folder;
  const Error error = error_of_program(script(folder, "#!/bin/sh\nkill -SEGV $$\n"));
  CHECK(error.code() == errc::start_failed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::signaled);
  CHECK(error.crash()->status.signal == SIGSEGV);
}

// Fault start.no-worker (idle)
TEST_CASE("a program that does not care is ended at the timeout, and all that it started") {
  const LeakCheck leaks;
  const TempDir folder;
  const Error error =
      error_of_program(script(folder, "#!/bin/sh\nsleep 1000 & sleep 1000\n"), 50ms);
  INFO(error.what());
  CHECK(error.code() == errc::connect_timeout);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::connect_timeout);
  CHECK(error.crash()->status.signal == SIGKILL);
  CHECK(mentions(error, "50 ms"));
  CHECK(mentions(error, "test"));
}

// Fault start.options: options make no sense.
// Then: `std::invalid_argument`, which names the field.
TEST_CASE("options that make no sense are refused by name") {
  const LeakCheck leaks;
  CHECK_THROWS_WITH(TestPool({.workers = 0}), Catch::Contains("workers"));
  CHECK_THROWS_WITH(TestPool({.workers = std::size_t(-1)}), Catch::Contains("workers"));
  CHECK_THROWS_WITH(TestPool({.workers = 1, .connect_timeout = -1ms}),
                    Catch::Contains("connect_timeout"));
  CHECK_THROWS_WITH(TestPool({.workers = 1, .max_attempts = 0}), Catch::Contains("max_attempts"));
  CHECK_THROWS_WITH(TestPool({.workers = 1, .max_message = 0}), Catch::Contains("max_message"));
  CHECK_THROWS_AS(TestWorker::start({.connect_timeout = -1ms}), std::invalid_argument);
}

// Fault start.program (idle)
TEST_CASE("a start that failed leaves room for the next") {
  const LeakCheck leaks;
  CHECK(error_of_program("/no/such/program").code() == errc::start_failed);
  TestPool pool{{.workers = 1}};
  CHECK(value_of(pool.run(Add{20, 22})) == 42);
}
