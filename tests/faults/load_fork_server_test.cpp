// The fork server dies or hangs at any moment, beside calls of others.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <memory>

#include "faults/loads.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fault.hpp"
#include "support/leak_check.hpp"

#ifdef BULKHEAD_FAULT_POINTS

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

// A pool with a load, whose processes meet what is written into its file.
struct LoadedPool {
  LoadedPool(Load load, std::chrono::milliseconds connect_timeout)
      : pool({.workers = Traffic::workers,
              .launch = Launch::self().env("BULKHEAD_FAULT", "@" + faults.string()),
              .connect_timeout = connect_timeout,
              .restart = {.count = 0}}),
        traffic(pool, load) {}
  TempDir folder;
  std::filesystem::path faults = folder / "faults";
  TestPool pool;
  Traffic traffic;
};

std::atomic<int> launches;

}  // namespace

// Fault crash.fork-server-dies (idle, one call, many calls)
// Fault crash.fork-server-stopped (idle, one call, many calls)
TEST_CASE("a fork server that dies or hangs as a worker ends or starts is replaced with them all") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  const std::string action = GENERATE("kill", "exit=3", "stall");
  const bool dies = action == "kill" || action == "exit=3";
  // All of them at once, so that they wait together.
  std::vector<std::pair<std::string, std::unique_ptr<LoadedPool>>> rows;
  for (const char* point : {"fork_server.before_report", "fork_server.after_report",
                            "fork_server.before_fork", "fork_server.before_started"})
    rows.emplace_back(std::string(point) + ":1:" + action,
                      std::make_unique<LoadedPool>(load, dies ? default_watchdog : 1000ms));
  for (auto& [fault, row] : rows) {
    put(row->faults, fault);
    REQUIRE(::kill(row->traffic.victim(), SIGKILL) == 0);
  }
  // As soon as it was met: each time more the pool waits for longer.
  const auto mend = [](LoadedPool& row) {
    const bool met = row.pool.stats().crashes >= 3;
    if (met) std::filesystem::remove(row.faults);
    return met;
  };
  REQUIRE(wait_until([&] {
    std::size_t mended = 0;
    for (auto& [fault, row] : rows) mended += mend(*row);
    return mended == rows.size();
  }));
  for (auto& [fault, row] : rows) {
    INFO(fault << ", " << name(load));
    CHECK(row->traffic.answers());
    CHECK(row->traffic.settle({.died = row->traffic.all()}) == none);
  }
}

// Fault crash.fork-server-killed (idle, one call, many calls)
TEST_CASE("a fork server that dies as it is launched again is launched once more") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  const std::string point = GENERATE("fork_server.before_greeting", "fork_server.after_greeting",
                                     "fork_server.before_serving", "fork_server.before_confining");
  INFO(point << ", " << name(load));
  LoadedPool row(load, default_watchdog);
  launches = 0;
  platform::set_fault_hook([](std::string_view met) { launches += met == "app.after_launch"; });
  put(row.faults, point + ":1:kill");
  row.traffic.kill_fork_server();
  CHECK(wait_until([] { return launches >= 2; }));
  std::filesystem::remove(row.faults);
  CHECK(row.traffic.answers());
  platform::set_fault_hook(nullptr);
  CHECK(row.traffic.settle({.died = row.traffic.all(), .cause = Cause::fork_server_lost}) == none);
}

#endif
