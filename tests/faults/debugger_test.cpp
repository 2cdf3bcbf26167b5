// Applications and workers that somebody looks into with a debugger.
#include "faults/debugger.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/proc.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using How = Debugger::How;

namespace {

// Whoever is not root may look into other workers only if they dump cores.
const Sandbox open_to_debuggers = Sandbox::none();

bool permitted(const Debugger& debugger) {
  if (!debugger.attached()) WARN("skipped: this system does not permit it");
  return debugger.attached();
}

pid_t parent_of(pid_t pid) {
  const std::string stat = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto process = platform::parse_process_stat(stat);
  return process ? process->parent : 0;
}

}  // namespace

// Fault host.debugger (one call): the app runs under a debugger, which looks on, lets go of what is
// forked, or follows all of it; or a worker is held by one.
// Then: calls, crashes, restarts and shutdowns are as ever. Who is held keeps its own calls, and
// nobody else's, until it is let go.
TEST_CASE("an app under a debugger has workers as any other") {
  for (const How how : {How::looks_on, How::sees_forks, How::follows_forks}) {
    const LeakCheck leaks;
    INFO(static_cast<int>(how));
    App app("debugged", {}, no_leak_sanitizer);
    REQUIRE(wait_until([&] { return std::filesystem::exists(app.file("ready")); }));
    const Debugger debugger(app.pid(), how);
    std::ofstream{app.file("go")};
    if (permitted(debugger)) check_ends_well(app);
  }
}

// Fault host.debugger (one call)
TEST_CASE("a worker that a debugger holds answers when it is let go, and others meanwhile") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2, .sandbox = open_to_debuggers}};
  auto held = pool.run(gate.call("held"));
  Debugger debugger(gate.runner("held"), How::holds);
  if (!permitted(debugger)) return gate.open();
  gate.open();
  for (int i = 0; i < 300; ++i) REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
  CHECK_FALSE(held.ready());
  debugger.let_go();
  CHECK(value_of(std::move(held)) == gate.runner("held"));
  CHECK(pool.stats().crashes == 0);
}

// Fault host.debugger (one call)
TEST_CASE("a worker that dies while a debugger holds it is replaced at once") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1, .sandbox = open_to_debuggers}};
  auto held = pool.run(gate.call("held"));
  const Debugger debugger(gate.runner("held"), How::holds);
  if (!permitted(debugger)) return gate.open();
  REQUIRE(::kill(gate.runner("held"), SIGKILL) == 0);
  const Error error = error_of(std::move(held));
  INFO(error.what());
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal.value_or(SIGKILL) == SIGKILL);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(pool.shutdown().workers_left == 1);
}

// Fault host.debugger (one call)
TEST_CASE("an app is killed while a debugger holds a worker: nothing waits for the debugger") {
  const LeakCheck leaks;
  App app("live", {"wait", "busy"}, no_leak_sanitizer);
  REQUIRE(wait_until([&] { return std::filesystem::exists(app.file("ready")); }));
  const pid_t worker = pids_in(app.file("ready")).at(0), server = parent_of(worker);
  const Debugger debugger(worker, How::holds);
  app.kill(SIGKILL);
  CHECK(app.ending().status == SIGKILL);
  if (permitted(debugger)) CHECK(wait_until([&] { return !platform::start_time(server); }));
}

// Fault host.debugger (one call)
TEST_CASE("a pool ends though a debugger holds one of its workers") {
  for (const bool asked : {true, false}) {
    const LeakCheck leaks;
    const Gate gate;
    std::optional<TestPool> pool(PoolOptions{.workers = 2, .sandbox = open_to_debuggers});
    auto held = pool->run(gate.call("held"));
    Debugger debugger(gate.runner("held"), How::holds);
    if (!permitted(debugger)) return gate.open();
    if (asked) {
      const ShutdownReport report = pool->shutdown(std::chrono::milliseconds(10));
      CHECK(report.workers_killed == 2);
      CHECK(report.unkillable.empty());
    }
    pool.reset();
    CHECK(error_of(std::move(held)).code() == errc::shut_down);
  }
}
