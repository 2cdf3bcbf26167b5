// Applications that time and signals are not kind to.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "faults/apps.hpp"
#include "faults/loads.hpp"
#include "faults/service/handlers.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Every wait is interrupted, and must go on for as long as it was to.
int storm(const AppArguments&) {
  const auto& storms = begin_storm();
  TestPool pool{{.workers = 2, .launch = Launch::self().env("TEST_WARM_UP", "storm")}};
  for (int i = 0; i < 2000; ++i) expect(value_of(pool.run(Add{i, 1})) == i + 1);
  const Gate gate;
  auto held = pool.run(gate.call("one"));
  gate.runner("one");
  auto since = Clock::now();
  expect(!held.wait_for(50ms));
  expect(Clock::now() - since >= 50ms, "it did not wait for as long as it was to");
  since = Clock::now();
  const Error late = error_of(pool.run(gate.call("two"), {.timeout = 50ms}));
  expect(late.code() == errc::deadline_exceeded, late.what());
  expect(Clock::now() - since >= 50ms, "a deadline came too early");
  gate.open();
  value_of(std::move(held));
  const Error crash = error_of(pool.run(Die{Death::exit_3}));
  expect(crash.crash() && crash.crash()->status == ExitStatus{.code = 3}, crash.what());
  expect(value_of(pool.run(Echo{std::string(8 << 20, 'x')})).size() == 8 << 20);
  expect(wait_until([&] { return pool.stats().workers == 2; }));
  expect(storms > 100, "there was no storm");
  expect(pool.shutdown().workers_killed == 0);
  return 0;
}

// folder; workers beat, until there is a file `go`.
int watched(const AppArguments& given) {
  const std::filesystem::path folder = given.at(0);
  TestPool pool{{.workers = 2, .heartbeat = 10ms, .kill_suspects = true}};
  const pid_t worker = pid_of(pool);
  put(folder / "ready", "");
  wait_for(folder / "go");
  expect(pool.stats().crashes == 0, "a worker was suspected");
  expect(pid_of(pool) == worker || pool.stats().crashes == 0);
  return 0;
}

bool clock_jumps() {
  const auto hour = [before = ::time(nullptr)] {
    return std::abs(::time(nullptr) - before) > 1800;
  };
  return wait_until(hour);
}

// folder, and the load. Each look at the wall clock is an hour before or after the one before.
int out_of_time(const AppArguments& given) {
  expect(clock_jumps(), "the clock does not jump");
  for (const Load load : all_loads) {
    if (given.at(1) != name(load)) continue;
    TestPool pool{{.workers = Traffic::workers,
                   .restart = {.count = 0},
                   .heartbeat = 50ms,
                   .kill_suspects = true}};
    Traffic traffic(pool, load);
    const Gate gate;
    const auto since = Clock::now();
    const Error late = error_of(pool.run(gate.call("late"), {.timeout = 50ms}));
    expect(late.code() == errc::deadline_exceeded, late.what());
    expect(Clock::now() - since >= 50ms, "a deadline came too early");
    gate.open();
    ::kill(traffic.victim(), SIGKILL);
    expect(traffic.answers());
    for (const auto& complaint : traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}))
      expect(false, complaint);
    expect(pool.shutdown().workers_left == Traffic::workers);
  }
  return 0;
}

}  // namespace

const Apps time_apps{{"storm", storm}, {"watched", watched}, {"out_of_time", out_of_time}};

}  // namespace bulkhead::test
