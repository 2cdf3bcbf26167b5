// Workers that are to say that they live.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/calls.hpp"
#include "faults/event_log.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

// Fault beat.stopped (one call): a worker is stopped (SIGSTOP), with a call, and nobody asked for
// its end.
// Then: it is suspect; if it goes on, so does its call.
TEST_CASE("a worker that is stopped is suspect, and goes on when it is let") {
  const LeakCheck leaks;
  const Gate gate;
  EventLog log;
  TestPool pool{{.workers = 1, .heartbeat = 5ms, .on_event = log.callback()}};
  auto call = pool.run(gate.call("one"));
  const pid_t worker = gate.runner("one");
  REQUIRE(::kill(worker, SIGSTOP) == 0);
  CHECK(log.has(EventKind::suspect, worker));
  CHECK(pool.stats().each.at(0).suspect);
  REQUIRE(::kill(worker, SIGCONT) == 0);
  CHECK(log.has(EventKind::recovered, worker));
  gate.open();
  CHECK(value_of(std::move(call)) == worker);
  CHECK(pool.stats().crashes == 0);
}

// Fault beat.killed (idle, one call): the same, where suspects are to be killed.
// Then: it is killed and replaced, and its call fails with the cause.
TEST_CASE("a worker that is stopped is killed and replaced if that was asked for") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1, .heartbeat = 5ms, .kill_suspects = true}};
  auto call = pool.run(gate.call("one"));
  REQUIRE(::kill(gate.runner("one"), SIGSTOP) == 0);
  const Error error = error_of(std::move(call));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "not beating"));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::stopped_beating);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
  REQUIRE(::kill(pid_of(pool), SIGSTOP) == 0);  // an idle one
  CHECK(value_of(pool.run(Add{2, 2})) == 4);
}

// Fault beat.busy (one call): a handler computes for long.
// Then: its worker is not suspect.
TEST_CASE("a worker whose handler is busy for long is not suspect") {
  const LeakCheck leaks;
  const Gate gate;
  EventLog log;
  TestPool pool{
      {.workers = 2, .heartbeat = 20ms, .kill_suspects = true, .on_event = log.callback()}};
  auto call = pool.run(gate.call("one"));
  const pid_t busy = gate.runner("one");
  // Longer than a stopped one is waited for.
  REQUIRE(wait_until([&, until = std::chrono::steady_clock::now() + 400ms] {
    return std::chrono::steady_clock::now() > until;
  }));
  gate.open();
  CHECK(value_of(std::move(call)) == busy);
  CHECK(pool.stats().crashes == 0);
}
