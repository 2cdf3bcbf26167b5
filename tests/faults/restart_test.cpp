#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/unsanitized.hpp"
#include "process/cgroup.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

std::ptrdiff_t entries(const std::string& directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

long resident_pages() {
  const std::string text = platform::read_file("/proc/self/statm");
  return std::stol(text.substr(text.find(' ')));
}

// The fork server's cgroup has one below it for each worker. 0 where there are none.
std::size_t cgroups_of(pid_t server) {
  std::error_code none;
  const std::string name = "bulkhead-" + std::to_string(server) + "-";
  for (const auto& entry :
       std::filesystem::directory_iterator(process::own_cgroup().value_or("/nowhere"), none))
    if (entry.path().filename().native().starts_with(name)) {
      const auto below = std::filesystem::directory_iterator(entry.path(), none);
      return static_cast<std::size_t>(
          std::count_if(begin(below), {}, [](const auto& each) { return each.is_directory(); }));
    }
  return 0;
}

}  // namespace

// Fault crash.loop (idle): workers die on every start.
// Then: growing pauses, then `restart_limit`; tried again after a pause; while others live they go
// on.
TEST_CASE("a pool whose workers die on every start gives up, and says why") {
  const LeakCheck leaks;
  const TempDir folder;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 1}}};
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  put(broken, "");
  // The idle worker dies, then the one that replaces it: two, and one is allowed.
  REQUIRE(::kill(pid_of(pool), SIGKILL) == 0);
  const Error error = error_of(pool.run(Add{1, 2}));
  INFO(error.what());
  CHECK(error.code() == errc::restart_limit);
  CHECK(mentions(error, "test pool gave up"));
  CHECK(mentions(error, "died of SIGABRT"));
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGABRT);
  CHECK(pool.stats().crashes == 2);
  CHECK(pool.stats().workers == 0);
  // From now on without waiting.
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::restart_limit);
}

// Fault crash.loop (many calls)
TEST_CASE("calls that wait while a pool gives up fail with it") {
  const LeakCheck leaks;
  const TempDir folder;
  const Gate gate;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 1}}};
  auto running = pool.run(gate.call("one"));
  const pid_t pid = gate.runner("one");
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(pool.run(Add{i, i}));
  put(broken, "");
  REQUIRE(::kill(pid, SIGKILL) == 0);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  for (auto& call : waiting) CHECK(error_of(std::move(call)).code() == errc::restart_limit);
}

// Fault crash.loop (idle)
TEST_CASE("a pool that is told never to give up waits for its workers") {
  const LeakCheck leaks;
  const TempDir folder;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 0}}};
  const pid_t pid = pid_of(pool);
  put(broken, "");
  REQUIRE(::kill(pid, SIGKILL) == 0);
  auto call = pool.run(Add{1, 2});
  REQUIRE(wait_until([&] { return pool.stats().crashes >= 2; }));
  CHECK_FALSE(call.ready());
  std::filesystem::remove(broken);
  CHECK(value_of(std::move(call)) == 3);
}

// Fault crash.loop
TEST_CASE("crashes that calls explain never make a pool give up") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .restart = {.count = 1}}};
  for (int i = 0; i < 20; ++i) CHECK(error_of(pool.run(Die{})).code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault crash.restarts: workers crash hundreds of times.
// Then: nothing grows: no memory, descriptor, thread or cgroup.
TEST_CASE("hundreds of restarts leave nothing behind") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const pid_t server = value_of(pool.run(LookAround{})).parent;
  // Those of the workers, and of the next one; the dead ones' go when nobody is to be started.
  const auto is_tidy = [&] { return cgroups_of(server) == 0 || cgroups_of(server) == 3; };
  REQUIRE(wait_until(is_tidy));
  const std::string of_server = "/proc/" + std::to_string(server) + "/fd";
  const auto server_descriptors = entries(of_server);
  const auto crash = [&](int times) {
    for (int i = 0; i < times; ++i) {
      CHECK(error_of(pool.run(Die{Death::kill})).code() == errc::worker_crashed);
      REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
    }
    REQUIRE(wait_until([&] { return pool.stats().workers == 2; }));
  };
  crash(50);  // what is made once and kept has been made
  const auto descriptors = entries("/proc/self/fd");
  const auto threads = entries("/proc/self/task");
  const auto resident = resident_pages();
  crash(200);
  CHECK(wait_until([&] { return entries("/proc/self/fd") == descriptors; }));
  CHECK(entries("/proc/self/task") == threads);
  CHECK(wait_until([&] { return entries(of_server) == server_descriptors; }));
  CHECK(wait_until(is_tidy));
  CHECK(wait_until([&] { return pool.stats().restarts == 250; }));
  // A segment has more than 128 pages: a single one that stays mapped for each would be 25 000.
  // The address sanitizer keeps what was freed for a while.
  if (!BULKHEAD_SANITIZED) CHECK(resident_pages() - resident < 2'000);
}
