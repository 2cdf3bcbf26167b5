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

bool all_threads_sleep(pid_t pid) {
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    const auto stat = platform::parse_process_stat(platform::read_file(task.path() / "stat"));
    if (stat && stat->state != 'S') return false;
  }
  return true;
}

// What the app has started, and what has stopped since.
std::vector<pid_t> stopped_below(pid_t app) {
  std::vector<pid_t> stopped;
  for (const auto& process : platform::descendants_of({app}))
    if (process.state == 'T') stopped.push_back(process.pid);
  return stopped;
}

void go_on(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) platform::Pidfd::open(pid).signal(SIGCONT);
}

}  // namespace

// Fault start.ready-early: a worker is ready before the app looks.
// Then: it is not overlooked.
TEST_CASE("a worker that is ready before the app looks again is not overlooked") {
  const LeakCheck leaks;
  App app("lone", {}, {{"BULKHEAD_FAULT", "app.after_order:1:stop;worker.after_ready:1:stop"}});
  REQUIRE(wait_until([&] { return is_stopped(app.pid()); }));
  REQUIRE(wait_until([&] { return stopped_below(app.pid()).size() == 1; }));
  go_on(stopped_below(app.pid()));
  app.kill(SIGCONT);
  INFO(app.written());
  CHECK(app.ending().status == 0);
}

// Its fork server is held up between forking it and telling the app who it is.
// Fault start.ready-early
TEST_CASE("a worker that is ready before the app knows who it is has its id and its name") {
  const LeakCheck leaks;
  App app("lone", {},
          {{"BULKHEAD_FAULT", "fork_server.before_started:1:stop;worker.after_ready:1:stop"}});
  REQUIRE(wait_until([&] { return stopped_below(app.pid()).size() == 2; }));
  // The app has been rung, and goes back to sleep as soon as it has looked.
  REQUIRE(wait_until([&] { return all_threads_sleep(app.pid()); }));
  go_on(stopped_below(app.pid()));
  INFO(app.written());
  CHECK(app.ending().status == 0);
}

#endif
