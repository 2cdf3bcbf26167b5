// The process that stands between the app and its workers ends or hangs.
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

pid_t fork_server_of(TestPool& pool) { return value_of(pool.run(LookAround{})).parent; }

#ifdef BULKHEAD_FAULT_POINTS
Launch with_fault(const std::string& fault) { return Launch::self().env("BULKHEAD_FAULT", fault); }
#endif

}  // namespace

TEST_CASE("the fork server is killed: its workers' calls fail, and new ones are started") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  const pid_t server = fork_server_of(pool);
  REQUIRE(::kill(server, SIGKILL) == 0);
  const Error error = error_of(std::move(running));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::fork_server_lost);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(fork_server_of(pool) != server);
}

TEST_CASE("a lone worker whose fork server is killed has crashed") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  REQUIRE(::kill(value_of(worker.run(LookAround{})).parent, SIGKILL) == 0);
  CHECK(wait_until([&] { return !worker.alive() && worker.crash(); }));
  CHECK(error_of(worker.run(Add{1, 2})).code() == errc::worker_crashed);
}

TEST_CASE("the fork server is stopped: the pool answers, and ends all the same") {
  const LeakCheck leaks;
  const Gate gate;
  std::optional<TestPool> pool(PoolOptions{.workers = 2});
  auto running = pool->run(gate.call("one"));
  gate.runner("one");
  REQUIRE(::kill(fork_server_of(*pool), SIGSTOP) == 0);
  CHECK(value_of(pool->run(Add{1, 2})) == 3);
  pool.reset();
  CHECK(error_of(std::move(running)).code() == errc::shut_down);
}

#ifdef BULKHEAD_FAULT_POINTS

TEST_CASE("the fork server dies before it can say how a worker ended") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = with_fault("fork_server.before_report:1:kill")}};
  const Error error = error_of(pool.run(Die{Death::exit_3}));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->running.size() == 1);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

TEST_CASE("the fork server hangs: a worker's end is seen all the same, and all start anew") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2,
                 .launch = with_fault("fork_server.before_report:1:stall"),
                 .connect_timeout = 200ms}};
  const pid_t server = fork_server_of(pool);
  const Error error = error_of(pool.run(Die{Death::exit_3}));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->running.size() == 1);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(wait_until([&] { return pool.stats().restarts > 0 && pool.stats().workers == 2; }));
  CHECK(fork_server_of(pool) != server);
}

TEST_CASE("the fork server hangs as it is to leave: the pool ends all the same") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = with_fault("fork_server.leave:1:stall")}};
  const ShutdownReport report = pool.shutdown();
  CHECK(report.workers_left == 1);
  CHECK(report.workers_killed == 0);
  CHECK(report.unkillable.empty());
}

#endif
