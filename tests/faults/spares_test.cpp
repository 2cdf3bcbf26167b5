// Workers that are kept ready for when others die.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "faults/reloads.hpp"
#include "faults/service/handlers.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using Pids = std::set<pid_t>;

Pids children(pid_t server) {
  const auto pids = platform::children_of(server);
  return {pids.begin(), pids.end()};
}

Pids without(Pids all, const Pids& some) {
  for (const pid_t pid : some) all.erase(pid);
  return all;
}

void kill_all(const Pids& pids) {
  for (const pid_t pid : pids) REQUIRE(::kill(pid, SIGKILL) == 0);
}

// A pool, and what its processes were when it had started.
struct Staffed {
  explicit Staffed(PoolOptions options)
      : pool(options),
        workers(workers_of(pool, static_cast<int>(options.workers))),
        server(fork_server_of(pool)),
        spares(without(children(server), workers)) {}

  TestPool pool;
  Pids workers;
  pid_t server;
  Pids spares;

  bool has_processes(std::size_t count) const {
    return wait_until([&] { return children(server).size() == count; });
  }
};

// New workers wait in their warm-up while it is closed.
class Door {
 public:
  Door() { open(); }
  Launch launch() const { return Launch::self().env("TEST_WARM_UP", "wait=" + file_.string()); }
  void open() const { put(file_, ""); }
  void close() const {
    std::filesystem::remove(file_);
    std::filesystem::remove(somebody_waits());
  }
  // Until somebody is at the closed door.
  bool await_visitor() const {
    return wait_until([&] { return std::filesystem::exists(somebody_waits()); });
  }

 private:
  std::filesystem::path somebody_waits() const { return file_.string() + ".awaited"; }

  TempDir folder_;
  std::filesystem::path file_ = folder_ / "door";
};

// Whose workers die as they start, once it is broken.
class Fragile {
 public:
  Launch launch() const { return Launch::self().env("TEST_WARM_UP", "die_if=" + broken_); }
  void breaks() const { put(broken_, ""); }

 private:
  TempDir folder_;
  std::string broken_ = folder_ / "broken";
};

}  // namespace

TEST_CASE("spares are ready when a pool has started, get no calls, and are not counted") {
  const LeakCheck leaks;
  Staffed crew({.workers = 2, .spares = 3});
  CHECK(crew.spares.size() == 3);
  CHECK(crew.pool.stats().workers == 2);
  for (int i = 0; i < 50; ++i) CHECK(crew.workers.contains(pid_of(crew.pool)));
  CHECK(crew.pool.stats().restarts == 0);
  CHECK(crew.pool.shutdown().workers_left == 5);
}

// Fault crash.spare (one call): a worker of a pool with spares dies.
// Then: a spare takes its place at once, and another spare is started.
TEST_CASE("a crash is answered by a spare at once") {
  const LeakCheck leaks;
  const Door door;
  Staffed crew({.workers = 1, .launch = door.launch(), .spares = 1});
  door.close();  // nobody else gets ready
  CHECK(error_of(crew.pool.run(Die{})).code() == errc::worker_crashed);
  CHECK(crew.spares.contains(pid_of(crew.pool)));
  CHECK(crew.pool.stats().workers == 1);
  door.open();
}

// Fault crash.spare (many calls)
TEST_CASE("what a dead worker had not begun goes to a spare") {
  const LeakCheck leaks;
  const Door door;
  const Gate gate;
  Staffed crew({.workers = 1, .launch = door.launch(), .spares = 1});
  door.close();
  auto running = crew.pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(crew.pool.run(Add{i, i}));
  kill_all(crew.workers);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  int expected = 0;
  for (auto& call : waiting) CHECK(value_of(std::move(call)) == 2 * expected++);
  CHECK(crew.spares.contains(pid_of(crew.pool)));
  door.open();
}

// Fault crash.spare (one call)
TEST_CASE("spares are replaced") {
  const LeakCheck leaks;
  Staffed crew({.workers = 1, .spares = 1});
  Pids seen = crew.workers;
  for (int i = 0; i < 10; ++i) {
    CHECK(error_of(crew.pool.run(Die{})).code() == errc::worker_crashed);
    REQUIRE(crew.has_processes(2));
    CHECK(seen.insert(pid_of(crew.pool)).second);
  }
  CHECK(crew.pool.stats().crashes == 10);
  CHECK(wait_until([&] { return crew.pool.stats().restarts == 10; }));
}

// Fault crash.spare-idle (idle): a spare dies while it has nothing to do.
// Then: another is started, by the rules for workers that die while idle.
TEST_CASE("a spare that is killed while idle is replaced, and no call notices") {
  const LeakCheck leaks;
  const Gate gate;
  Staffed crew({.workers = 1, .spares = 1});
  auto running = crew.pool.run(gate.call("one"));
  gate.runner("one");
  kill_all(crew.spares);
  REQUIRE(wait_until([&] { return crew.pool.stats().crashes == 1; }));
  REQUIRE(wait_until([&] { return crew.pool.stats().restarts == 1; }));
  REQUIRE(crew.has_processes(2));
  gate.open();
  CHECK(value_of(std::move(running)) == *crew.workers.begin());
  CHECK(crew.workers.contains(pid_of(crew.pool)));
}

// Fault crash.spare-loop (idle): spares die on every start.
// Then: growing pauses; the workers that live go on.
TEST_CASE("a pool whose spares die on every start goes on with its workers") {
  const LeakCheck leaks;
  const Fragile program;
  Staffed crew({.workers = 1, .launch = program.launch(), .spares = 1, .restart = {.count = 1}});
  program.breaks();
  kill_all(crew.spares);
  REQUIRE(wait_until([&] { return crew.pool.stats().crashes >= 2; }));
  CHECK(value_of(crew.pool.run(Add{1, 2})) == 3);
  CHECK(crew.workers.contains(pid_of(crew.pool)));
}

// Fault crash.spare-loop (one call)
TEST_CASE("a pool gives up when its last spare is gone, too, and not before") {
  const LeakCheck leaks;
  const Fragile program;
  Staffed crew({.workers = 1, .launch = program.launch(), .spares = 1, .restart = {.count = 1}});
  program.breaks();
  kill_all(crew.workers);  // and then what replaces it: more than one is allowed
  REQUIRE(wait_until([&] { return crew.pool.stats().crashes >= 2; }));
  CHECK(crew.spares.contains(pid_of(crew.pool)));
  kill_all(crew.spares);
  CHECK(error_of(crew.pool.run(Add{1, 2})).code() == errc::restart_limit);
}

// Fault crash.spare (many calls)
TEST_CASE("all workers and spares are killed at once") {
  const LeakCheck leaks;
  Staffed crew({.workers = 2, .spares = 2});
  kill_all(crew.workers);
  kill_all(crew.spares);
  for (int i = 0; i < 20; ++i) CHECK(value_of(crew.pool.run(Add{1, 2})) == 3);
  REQUIRE(crew.has_processes(4));
  CHECK(crew.pool.stats().crashes == 4);
}

// Fault crash.spare-fork-server (idle): the fork server of a pool with spares is killed.
// Then: workers and spares end with it, and all are started anew.
TEST_CASE("a fork server dies under spares") {
  const LeakCheck leaks;
  Staffed crew({.workers = 2, .spares = 2});
  REQUIRE(::kill(crew.server, SIGKILL) == 0);
  REQUIRE(wait_until([&] { return gone(crew.server); }));
  CHECK(value_of(crew.pool.run(Add{1, 2})) == 3);
  crew.server = fork_server_of(crew.pool);
  REQUIRE(crew.has_processes(4));
  CHECK(wait_until([&] { return crew.pool.stats().workers == 2; }));
}

// Fault reload.spares (idle): a pool with spares is reloaded.
// Then: its spares are replaced, too.
TEST_CASE("a reload with spares replaces them, too") {
  const LeakCheck leaks;
  Staffed crew({.workers = 2, .spares = 2});
  crew.pool.reload();
  CHECK(gone(crew.server));
  const Pids workers = workers_of(crew.pool, 2);
  crew.server = fork_server_of(crew.pool);
  REQUIRE(crew.has_processes(4));
  for (const Pids& old : {crew.workers, crew.spares})
    for (const pid_t pid : old) CHECK(gone(pid));
  CHECK(crew.pool.stats().workers == 2);
  CHECK(crew.pool.stats().restarts == 0);
  CHECK(crew.pool.stats().crashes == 0);
  // One of the new ones, and none of the old program.
  const Pids spares = without(children(crew.server), workers);
  CHECK(error_of(crew.pool.run(Die{})).code() == errc::worker_crashed);
  CHECK(without(workers_of(crew.pool, 2), workers).size() == 1);
  CHECK(spares.size() == 2);
}

// Fault reload.spares (one call)
TEST_CASE("a reload with spares goes on while workers crash") {
  const LeakCheck leaks;
  Staffed crew({.workers = 2, .spares = 1});
  for (int i = 0; i < 3; ++i) {
    const Reloading reloading(crew.pool);
    for (int crash = 0; crash < 3; ++crash)
      CHECK(error_of(crew.pool.run(Die{})).code() == errc::worker_crashed);
    CHECK_FALSE(reloading.failure());
  }
  crew.server = fork_server_of(crew.pool);
  REQUIRE(crew.has_processes(3));
  CHECK(wait_until([&] { return crew.pool.stats().workers == 2; }));
}

// Fault end.spares (one call): a pool with spares is shut down, or dropped.
// Then: the spares leave, or are killed, with the workers.
TEST_CASE("a pool with spares ends while one of them takes a dead worker's place") {
  const LeakCheck leaks;
  for (int i = 0; i < 10; ++i) {
    TestPool pool{{.workers = 1, .spares = 2}};
    auto crash = pool.run(Die{});
    if (i % 2 == 0) CHECK(error_of(std::move(crash)).code() == errc::worker_crashed);
    if (i % 3 == 0) pool.shutdown();
  }
}

// Fault crash.spare (one call)
TEST_CASE("spares that are executed and not forked take calls when a worker dies") {
  const LeakCheck leaks;
  Staffed crew({.workers = 1, .launch = Launch::self().fresh(), .spares = 1});
  CHECK(error_of(crew.pool.run(Die{})).code() == errc::worker_crashed);
  CHECK(crew.spares.contains(pid_of(crew.pool)));
}
