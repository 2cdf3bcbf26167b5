// A worker that is ready before the application looks for it.
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

// Its worker, once that has stopped, too.
pid_t stopped_below(pid_t app) {
  for (const auto& process : platform::descendants_of({app}))
    if (process.state == 'T') return process.pid;
  return 0;
}

}  // namespace

TEST_CASE("a worker that is ready before the app looks again is not overlooked") {
  const LeakCheck leaks;
  App app("lone", {}, {{"BULKHEAD_FAULT", "app.after_order:1:stop;worker.after_ready:1:stop"}});
  REQUIRE(wait_until([&] { return is_stopped(app.pid()); }));
  REQUIRE(wait_until([&] { return stopped_below(app.pid()) != 0; }));
  platform::Pidfd::open(stopped_below(app.pid())).signal(SIGCONT);
  app.kill(SIGCONT);
  INFO(app.written());
  CHECK(app.ending().status == 0);
}

#endif
