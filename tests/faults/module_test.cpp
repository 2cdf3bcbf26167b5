// Modules: shared libraries that the stock program serves.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using ModulePool = Pool<ModuleService>;

Error module_error(const std::filesystem::path& file) {
  return start_error_of([&] { return ModulePool({.workers = 1, .launch = Launch::module(file)}); });
}

// As the user's environment says it.
class WorkerProgram {
 public:
  explicit WorkerProgram(const char* path) { ::setenv("BULKHEAD_WORKER_PROGRAM", path, 1); }
  ~WorkerProgram() { ::unsetenv("BULKHEAD_WORKER_PROGRAM"); }
  WorkerProgram(const WorkerProgram&) = delete;
  WorkerProgram& operator=(const WorkerProgram&) = delete;
};

}  // namespace

TEST_CASE("a module is served by the stock program, and its crashes are as any other's") {
  const LeakCheck leaks;
  ModulePool pool{{.workers = 2, .launch = Launch::module(TEST_MODULE).arg("given")}};
  CHECK(value_of(pool.run(Echo{"hello"})) == "hello from 1 of the module");
  const Error error = error_of(pool.run(Echo{"die"}));
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGABRT);
  const View view = value_of(pool.run(LookAround{}));
  REQUIRE(view.arguments.size() == 3);
  CHECK(std::filesystem::path(view.arguments[0]).filename() == "bulkhead-worker");
  CHECK(view.arguments[1] == TEST_MODULE);
  CHECK(view.arguments[2] == "given");
  CHECK(wait_until([&] { return pool.stats().workers == 2; }));
  CHECK(pool.shutdown().workers_left == 2);
}

TEST_CASE("a module may have a relative path, and its workers another directory") {
  const LeakCheck leaks;
  const TempDir folder;
  const auto path = std::filesystem::relative(TEST_MODULE);
  auto worker = Worker<ModuleService>::start(
      {.launch = Launch::module(path).working_directory(folder.path()).fresh()});
  CHECK(value_of(worker.run(Echo{"here"})) == "here from 1 of the module");
}

// Fault start.module (idle): a module is missing, no library, no module, of another protocol or
// service.
// Then: `start_failed`, `version_mismatch` or `contract_mismatch`, which says why.
TEST_CASE("a file that is no module fails the start, and says why") {
  const LeakCheck leaks;
  const TempDir folder;
  std::ofstream(folder / "text.so") << "no library\n";
  const auto check = [](const std::filesystem::path& file, const char* words) {
    const Error error = module_error(file);
    INFO(error.what());
    CHECK(error.code() == errc::start_failed);
    CHECK(mentions(error, file.filename().string()));
    CHECK(mentions(error, words));
  };
  check(folder / "missing.so", "there is no module");
  check(folder / "text.so", "cannot load the module");
  check(NO_MODULE, "no BULKHEAD_MODULE in it");
}

// Fault start.module (idle)
TEST_CASE("a module of another service is refused with both names") {
  const LeakCheck leaks;
  const Error error = start_error_of(
      [] { return TestPool({.workers = 1, .launch = Launch::module(TEST_MODULE)}); });
  INFO(error.what());
  CHECK(error.code() == errc::contract_mismatch);
  CHECK(mentions(error, "module"));
  CHECK(mentions(error, "test"));
}

// Fault start.module
TEST_CASE("a module that is replaced before its workers load it is refused by them") {
  const LeakCheck leaks;
  const TempDir folder;
  const auto old = folder / "module.so", newer = folder / "newer.so";
  std::filesystem::copy_file(TEST_MODULE, old);
  std::filesystem::copy_file(NEWER_MODULE, newer);
  const auto launch = Launch::module(old).fresh();
  const Error error = start_error_of([&] {
    return ModulePool(
        {.workers = 1,
         .launch = Launch(launch).env("TEST_SWAP", newer.string() + ":" + old.string())});
  });
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  CHECK(mentions(error, "module version 0"));
  CHECK(mentions(error, "module version 7"));
}

// Fault start.module (idle)
TEST_CASE("a module of another protocol is refused with both protocols") {
  const LeakCheck leaks;
  const Error error = module_error(STRANGE_MODULE);
  INFO(error.what());
  CHECK(error.code() == errc::version_mismatch);
  CHECK(mentions(error, "protocol 99"));
}

// Fault start.module (idle)
TEST_CASE("the user may name the stock program, and is told where it is not") {
  const LeakCheck leaks;
  {
    const WorkerProgram missing("/no/such/bulkhead-worker");
    const Error error = module_error(TEST_MODULE);
    INFO(error.what());
    CHECK(error.code() == errc::start_failed);
    CHECK(error.system() == std::errc::no_such_file_or_directory);
    CHECK(mentions(error, "/no/such/bulkhead-worker"));
  }
  const WorkerProgram none("");  // as if it were not set
  ModulePool pool{{.workers = 1, .launch = Launch::module(TEST_MODULE)}};
  CHECK(value_of(pool.run(Echo{"hello"})) == "hello from 1 of the module");
}
