// A worker that is ready before the application looks for it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/apps.hpp"
#include "platform/proc.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::test;
namespace platform = bulkhead::platform;

#ifdef BULKHEAD_FAULT_POINTS

namespace {

bool is_stopped(pid_t pid) {
  const auto line = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto stat = platform::parse_process_stat(line);
  return stat && stat->state == 'T';
}

// Below the app there is its fork server, and below that a worker: both sleep, as nobody wants
// them.
bool worker_sleeps_below(pid_t app) {
  const auto family = platform::descendants_of({app});
  return family.size() == 2 &&
         std::ranges::all_of(family, [](const auto& process) { return process.state == 'S'; });
}

}  // namespace

TEST_CASE("a worker that is ready before the app looks again is not overlooked") {
  const LeakCheck leaks;
  App app("lone", {}, {{"BULKHEAD_FAULT", "app.after_order:1:stop"}});
  REQUIRE(wait_until([&] { return is_stopped(app.pid()); }));
  REQUIRE(wait_until([&] { return worker_sleeps_below(app.pid()); }));
  app.kill(SIGCONT);
  INFO(app.written());
  CHECK(app.ending().status == 0);
}

#endif
