// A pool's workers are to be replaced, by a program that may not work or while old ones crash.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <thread>

#include "faults/reloads.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;
namespace fs = std::filesystem;

}  // namespace

// Fault reload.broken (idle): the new program is missing, no program, does not start, serves
// another contract, dies, throws, or never gets ready.
// Then: the old workers stay, nothing is counted, and `reload` throws what the start of a pool
// would.
TEST_CASE("a new executable that does not work leaves the old workers, and the error says why") {
  struct Bad {
    std::string script;
    errc code;
    std::string words;
  };
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch(), .connect_timeout = 2000ms}};
  const auto workers = workers_of(pool, 2);
  const pid_t server = fork_server_of(pool);
  const auto check_as_before = [&] {
    CHECK(workers_of(pool, 2) == workers);
    CHECK(fork_server_of(pool) == server);
    CHECK(pool.stats().crashes == 0);
    CHECK(pool.stats().restarts == 0);
  };
  for (const auto& [text, code, words] :
       std::vector<Bad>{{"#!/bin/sh\nexit 3\n", errc::start_failed, "exited with code 3"},
                        {"this is no program", errc::start_failed, "Exec format error"},
                        {script("", "newer"), errc::contract_mismatch, "test version 7"},
                        {script("", "other"), errc::contract_mismatch, "serves other version"},
                        {script("TEST_PRELOAD=die"), errc::start_failed, "SIGABRT"},
                        {script("TEST_PRELOAD=throw"), errc::start_failed, "told to throw"},
                        {script("TEST_WARM_UP=die"), errc::start_failed, "SIGABRT"},
                        {script("TEST_WARM_UP=throw"), errc::start_failed, "told to throw"}}) {
    INFO(text);
    program.becomes(text);
    const Error error = error_of_reload(pool);
    INFO(error.what());
    CHECK(error.code() == code);
    CHECK(mentions(error, words));
    check_as_before();
  }
  program.vanishes();
  const Error error = error_of_reload(pool);
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  CHECK(error.system() == std::errc::no_such_file_or_directory);
  check_as_before();
  program.becomes(version(2));
  pool.reload();
  CHECK(version_of(pool) == 2);
}

// Fault reload.broken (idle)
TEST_CASE("a new executable that never gets ready is given up at the timeout") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch(), .connect_timeout = 500ms}};
  const auto workers = workers_of(pool, 2);
  for (const char* where : {"TEST_PRELOAD=hang", "TEST_WARM_UP=hang"}) {
    INFO(where);
    program.becomes(script(where));
    const Error error = error_of_reload(pool);
    INFO(error.what());
    CHECK(error.code() == errc::connect_timeout);
    CHECK(mentions(error, "500 ms"));
    CHECK(workers_of(pool, 2) == workers);
  }
}

// Fault reload.later-worker (idle)
TEST_CASE("a new fork server that dies while the old one still leaves fails the reload") {
  const LeakCheck leaks;
  const Program program(with_fault("fork_server.leave:1:stall"));  // it is ended 2 s later
  TestPool pool{{.workers = 1, .launch = program.launch()}};
  const pid_t old_worker = pid_of(pool), old_server = fork_server_of(pool);
  program.becomes(with_fault("fork_server.before_report:1:kill"));
  const Reloading reloading(pool);
  REQUIRE(wait_until([&] { return gone(old_worker); }));
  const pid_t new_server = fork_server_of(pool);
  REQUIRE(new_server != old_server);
  program.becomes(version(2));
  ::kill(pid_of(pool), SIGKILL);  // whose end is seen before its fork server's
  const auto error = reloading.failure();
  INFO((error ? error->what() : "it did not fail"));
  CHECK((error ? mentions(*error, std::to_string(new_server)) : gone(old_server)));
  CHECK(version_of(pool) == 2);
}

// Fault reload.later-worker (one call): the first worker of the new program serves, and a later one
// fails.
// Then: `reload` throws; those not replaced yet stay, and what is missing comes from the new
// program.
TEST_CASE("a later worker of the new program fails: the reload says so, and the pool is whole") {
  const LeakCheck leaks;
  const Gate gate;
  const Program program(version(1));
  const fs::path broken = program.file("broken");
  TestPool pool{{.workers = 2, .launch = program.launch()}};
  std::vector<Future<pid_t>> running;
  for (const char* name : {"1", "2"}) running.push_back(pool.run(gate.call(name)));
  const std::set<pid_t> before{gate.runner("1"), gate.runner("2")};
  program.becomes(script("TEST_VERSION=2 TEST_WARM_UP=die_if=" + broken.string()));
  {
    const Reloading reloading(pool);
    CHECK(version_of(pool) == 2);  // one is replaced, and is waited for
    put(broken, "");
    gate.open();
    const auto error = reloading.failure();
    REQUIRE(error);
    INFO(error->what());
    CHECK(error->code() == errc::start_failed);
    CHECK(mentions(*error, "SIGABRT"));
  }
  for (auto& call : running) CHECK(before.contains(value_of(std::move(call))));
  fs::remove(broken);
  const auto after = workers_of(pool, 2);
  CHECK(std::count_if(before.begin(), before.end(),
                      [&](const pid_t pid) { return after.contains(pid); }) == 1);
  CHECK(pool.stats().crashes == 0);
  // What replaces the old one that stayed is of the new program.
  for (const pid_t pid : before) ::kill(pid, SIGKILL);
  REQUIRE(wait_until([&] { return pool.stats().restarts == 1 && pool.stats().workers == 2; }));
  for (int i = 0; i < 6; ++i) CHECK(version_of(pool) == 2);
}

// Fault reload.old-crash (one call): old workers crash meanwhile.
// Then: they are replaced by the old program, and by the new one once that has taken over.
TEST_CASE("old workers that crash while the new program starts are replaced by the old program") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch()}};
  program.becomes(script("TEST_VERSION=2 TEST_PRELOAD=wait=" + program.file("go").string()));
  const Reloading reloading(pool);
  for (int i = 0; i < 5; ++i) {
    CHECK(error_of(pool.run(Die{})).code() == errc::worker_crashed);
    CHECK(version_of(pool) == 1);
  }
  CHECK_FALSE(reloading.done());
  put(program.file("go"), "");
  CHECK(reloading.code() == errc{});
  for (int i = 0; i < 4; ++i) CHECK(version_of(pool) == 2);
  CHECK(wait_until([&] { return pool.stats().workers == 2; }));
  CHECK(pool.stats().crashes == 5);
}

// Fault reload.old-crash (many calls)
TEST_CASE("crashes all through reloads fail their own calls only") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3}};
  std::atomic<bool> over = false;
  std::atomic<int> crashed = 0, wrong = 0;
  std::thread crashing([&] {
    while (!over) crashed += error_of(pool.run(Die{Death::kill})).code() == errc::worker_crashed;
  });
  std::thread calling([&] {
    for (int i = 0; !over; ++i) wrong += value_of(pool.run(Add{i, 1})) != i + 1;
  });
  REQUIRE(wait_until([&] { return crashed > 5; }));
  for (int i = 0; i < 5; ++i) pool.reload();
  over = true;
  crashing.join();
  calling.join();
  CHECK(wrong == 0);
  CHECK(wait_until([&] { return pool.stats().workers == 3; }));
}

// Fault reload.old-fork-server (idle): the old fork server is killed, or hangs as it is closed.
// Then: its workers are lost, or it is killed; the reload goes on.
TEST_CASE("the old fork server is killed during a reload: the new one goes on") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch()}};
  const pid_t server = fork_server_of(pool);
  const fs::path left = program.file("left");
  program.becomes(script("TEST_VERSION=2 TEST_PRELOAD=wait=" + program.file("go").string() +
                         " TEST_ON_EXIT=touch=" + left.string()));
  const Reloading reloading(pool);
  REQUIRE(wait_until([&] { return processes() > 3; }));
  REQUIRE(::kill(server, SIGKILL) == 0);
  // The one that is about to serve will do: another is not launched.
  REQUIRE(wait_until([&] { return pool.stats().workers == 0 && processes() == 1; }));
  auto call = pool.run(Add{1, 2});
  put(program.file("go"), "");
  CHECK(value_of(std::move(call)) == 3);
  CHECK(reloading.code() == errc{});
  CHECK(wait_until([&] { return pool.stats().workers == 2; }));
  CHECK(version_of(pool) == 2);
  CHECK_FALSE(fs::exists(left));  // the first new one has filled a gap, and none was too many
}

// Fault reload.old-fork-server (one call)
TEST_CASE("the old fork server is killed while its last worker finishes a call") {
  const LeakCheck leaks;
  BusyPool busy;
  const auto stat = platform::parse_process_stat(
      platform::read_file("/proc/" + std::to_string(busy.worker) + "/stat"));
  REQUIRE(stat);
  const Reloading reloading(busy.pool);
  REQUIRE(wait_until([&] { return pid_of(busy.pool) != busy.worker; }));
  const pid_t fresh = pid_of(busy.pool);
  REQUIRE(::kill(stat->parent, SIGKILL) == 0);
  const Error error = error_of(std::move(busy.running));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::fork_server_lost);
  CHECK(reloading.code() == errc{});
  CHECK(pid_of(busy.pool) == fresh);
}

// Fault reload.old-fork-server (many calls)
TEST_CASE("a fork server is killed while a reload waits for an old worker: calls are answered") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  std::vector<Future<pid_t>> running;
  for (const char* name : {"1", "2"}) running.push_back(pool.run(gate.call(name)));
  for (const char* name : {"1", "2"}) gate.runner(name);
  {
    const Reloading failing(pool);
    REQUIRE(::kill(fork_server_of(pool), SIGKILL) == 0);  // the new one: the others are busy
    CHECK(failing.failure());
  }
  const pid_t third = fork_server_of(pool);
  REQUIRE(wait_until([&] { return processes() == 5; }));
  // One who was asked to leave by the first reload still runs its call.
  const Reloading waiting(pool);
  REQUIRE(wait_until([&] { return processes() == 6; }));
  REQUIRE(::kill(third, SIGKILL) == 0);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK_FALSE(waiting.done());
  gate.open();
  CHECK(waiting.code() == errc{});
  for (auto& call : running) CHECK(value_of(std::move(call)) > 0);
}

// Fault reload.gave-up (idle): the pool had given up (`restart_limit`).
// Then: a program that works brings it back at once.
TEST_CASE("a pool that gave up is brought back by a program that works") {
  const LeakCheck leaks;
  const Program program(version(1));
  const std::string broken = program.file("broken");
  program.becomes(script("TEST_VERSION=1 TEST_WARM_UP=die_if=" + broken));
  TestPool pool{{.workers = 2, .launch = program.launch(), .restart = {.count = 1}}};
  put(broken, "");
  for (const pid_t pid : workers_of(pool, 2)) ::kill(pid, SIGKILL);
  REQUIRE(wait_until([&] {
    auto call = pool.run(Add{1, 2});
    return call.wait_for(0ms) && pool.stats().workers == 0 &&
           error_of(std::move(call)).code() == errc::restart_limit;
  }));
  CHECK(error_of_reload(pool).code() == errc::start_failed);
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::restart_limit);
  program.becomes(version(2));
  pool.reload();
  CHECK(version_of(pool) == 2);
  // Without the pause of a pool that gave up, which is 15 s.
  CHECK(wait_until([&] { return pool.stats().workers == 2; }, 10'000ms));
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault reload.broken (idle)
TEST_CASE("the new fork server or its first worker dies at any moment: the old ones stay") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 2, .launch = program.launch(), .restart = {.count = 0}}};
  const auto workers = workers_of(pool, 2);
  for (const char* point :
       {"fork_server.before_greeting", "fork_server.after_greeting", "fork_server.before_serving",
        "fork_server.before_fork", "fork_server.before_started", "worker.after_fork",
        "worker.before_open", "worker.after_open", "worker.before_ready"}) {
    INFO(point);
    program.becomes(with_fault(std::string(point) + ":1:kill"));
    const Error error = error_of_reload(pool);
    INFO(error.what());
    CHECK(error.crash());
    CHECK(workers_of(pool, 2) == workers);
    CHECK(pool.stats().crashes == 0);
  }
  program.becomes(with_fault("fork_server.before_greeting:1:kill"));
  for (int i = 0; i < 10; ++i) error_of_reload(pool);
  // Nor do they make a worker that crashes later wait for its successor.
  program.becomes(version(2));
  REQUIRE(::kill(*workers.begin(), SIGKILL) == 0);
  CHECK(wait_until([&] { return pool.stats().restarts == 1; }, 10'000ms));
}

// Fault reload.new-fork-server (idle): the new fork server dies after its first worker was ready.
// Then: `reload` throws, and its workers' calls fail; old workers stay, and another fork server is
// launched.
TEST_CASE("the new fork server dies after it has taken over: the pool lives on") {
  const LeakCheck leaks;
  const Program program(version(1));
  TestPool pool{{.workers = 3, .launch = program.launch()}};
  // It has forked the first, and comes to the second.
  program.becomes(with_fault("fork_server.before_fork:2:kill"));
  CHECK(error_of_reload(pool).crash());
  program.becomes(version(3));
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(wait_until([&] { return pool.stats().workers == 3; }));
  pool.reload();
  for (int i = 0; i < 6; ++i) CHECK(version_of(pool) == 3);
}

// Fault reload.old-fork-server (idle)
TEST_CASE("the old fork server hangs as it is closed: the reload ends all the same") {
  const LeakCheck leaks;
  const Program program(with_fault("fork_server.leave:1:stall"));
  TestPool pool{{.workers = 1, .launch = program.launch()}};
  program.becomes(version(2));
  pool.reload();
  CHECK(version_of(pool) == 2);
}

#endif
