// Workers that are stopped, crash unseen, or have started others, beside calls of others.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/event_log.hpp"
#include "faults/loads.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

}  // namespace

// Fault beat.stopped (idle, one call, many calls)
TEST_CASE("a worker that is stopped is suspect until it goes on, whatever the pool has to do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  EventLog log;
  TestPool pool{{.workers = Traffic::workers, .heartbeat = 5ms, .on_event = log.callback()}};
  Traffic traffic(pool, load);
  REQUIRE(::kill(traffic.victim(), SIGSTOP) == 0);
  CHECK(log.has(EventKind::suspect, traffic.victim()));
  if (load == Load::one_call) CHECK(traffic.answers());
  REQUIRE(::kill(traffic.victim(), SIGCONT) == 0);
  CHECK(log.has(EventKind::recovered, traffic.victim()));
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == 0);
}

// Fault beat.killed (idle, one call, many calls)
TEST_CASE("a worker that is stopped is killed if that was asked for, whatever the pool has to do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers,
                 .restart = {.count = 0},
                 .heartbeat = 50ms,
                 .kill_suspects = true}};
  Traffic traffic(pool, load);
  REQUIRE(::kill(traffic.victim(), SIGSTOP) == 0);
  REQUIRE(wait_until([&] { return pool.stats().crashes == 1; }));
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = {traffic.victim()}, .cause = Cause::stopped_beating}) == none);
}

// Fault crash.told-early (idle, one call, many calls)
TEST_CASE("a crash is known though the fork server is stopped, whatever the pool has to do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers, .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  REQUIRE(::kill(traffic.fork_server(), SIGSTOP) == 0);
  REQUIRE(::kill(traffic.victim(), SIGSEGV) == 0);
  REQUIRE(wait_until([&] { return pool.stats().crashes == 1; }));
  REQUIRE(::kill(traffic.fork_server(), SIGCONT) == 0);
  CHECK(traffic.answers());
  Fate fate{.died = {traffic.victim()}};
  if (!BULKHEAD_SANITIZED) fate.signal = SIGSEGV;  // which tells of crashes in its own way
  CHECK(traffic.settle(fate) == none);
}

// Fault end.helpers (idle, one call, many calls)
TEST_CASE("what workers have started ends with them, whatever the pool has to do") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  TestPool pool{{.workers = Traffic::workers, .launch = way.launch, .restart = {.count = 0}}};
  std::vector<pid_t> helpers;
  for (int i = 0; i < 3; ++i)
    for (const Helper helper : {Helper::child, Helper::own_session, Helper::grandchild})
      helpers.push_back(value_of(pool.run(Start{helper})));
  Traffic traffic(pool, load);
  for (const pid_t worker : traffic.all()) REQUIRE(::kill(worker, SIGKILL) == 0);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = traffic.all(), .signal = SIGKILL}) == none);
  for (const pid_t helper : helpers)
    CHECK(wait_until([&] { return !platform::start_time(helper); }));
}
