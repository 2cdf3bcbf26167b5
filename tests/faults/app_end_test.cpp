// However the application ends, nothing of it is left.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/apps.hpp"
#include "platform/proc.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::test;
using How = bulkhead::platform::Ending::How;

namespace {

void await(const App& app, const std::string& file) {
  INFO(app.written());
  REQUIRE(wait_until([&] { return std::filesystem::exists(app.file(file)); }));
}

// Names that a killed application could not remove go with the next that starts.
void start_another(const LeakCheck& leaks) {
  leaks.await_processes();
  App next("quiet");
  CHECK(next.ending().status == 0);
}

}  // namespace

// Fault host.ends (idle, many calls): the app returns, exits, aborts, throws, or is killed, at any
// moment.
// Then: its workers and all that they started are gone, with their names and cgroups.
// Fault host.static (idle, many calls): a pool is global, a `thread_local`, or nobody's; the app
// calls `exit` while it is used, also in a signal handler or another thread.
// Then: it ends as any other, and `exit` waits for no call.
TEST_CASE("an app that ends by itself leaves nothing behind") {
  struct End {
    const char* how;
    How ending;
    int status;
  };
  for (const End& end :
       {End{"return", How::exited, 0}, End{"exit", How::exited, 0}, End{"_exit", How::exited, 0},
        End{"abort", How::killed, SIGABRT}, End{"throw", How::killed, SIGABRT}})
    for (const char* calls : {"idle", "busy"}) {
      const LeakCheck leaks;
      INFO(end.how << ", " << calls);
      App app("live", {end.how, calls});
      await(app, "ready");
      std::filesystem::create_directory(app.file("go"));
      const auto ending = app.ending();
      INFO(app.written());
      CHECK(static_cast<int>(ending.how) == static_cast<int>(end.ending));
      CHECK(ending.status == end.status);
    }
}

// Fault host.ends (idle, many calls)
TEST_CASE("an app that is killed leaves nothing behind") {
  for (const int signal : {SIGTERM, SIGINT, SIGSEGV, SIGKILL})
    for (const char* calls : {"idle", "busy"})
      for (const char* cgroup : {"", "off"}) {
        const LeakCheck leaks;
        INFO(signal << ", " << calls << ", cgroup " << cgroup);
        App app("live", {"wait", calls}, {{"BULKHEAD_CGROUP", cgroup}});
        await(app, "ready");
        app.kill(signal);
        CHECK(app.ending().status == signal);
      }
}

// Fault host.ends (many calls)
TEST_CASE("an app that is killed while its fork servers are stopped leaves nothing behind") {
  const LeakCheck leaks;
  App app("live", {"wait", "busy"});
  await(app, "ready");
  const auto fork_servers = bulkhead::platform::children_of(app.pid());
  CHECK(fork_servers.size() == 2);
  for (const pid_t server : fork_servers) REQUIRE(::kill(server, SIGSTOP) == 0);
  app.kill(SIGKILL);
  CHECK(app.ending().status == SIGKILL);
}

// Fault host.ends (one call)
TEST_CASE("an app that is killed while it shuts down leaves nothing behind") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const LeakCheck leaks;
    App app("shut_down");
    await(app, "ready");
    app.kill(signal);
    CHECK(app.ending().status == signal);
  }
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault host.ends (idle)
TEST_CASE("an app that is killed at any moment of its start leaves nothing behind") {
  for (const char* point : {"app.before_lock", "app.after_launch", "app.before_order",
                            "app.after_order", "app.before_unlink"})
    for (const char* nth : {"1", "2"}) {
      if (point == std::string("app.after_launch") && nth == std::string("2")) continue;
      const LeakCheck leaks;
      INFO(point << ", " << nth);
      App app("start_only", {}, {{"BULKHEAD_FAULT", std::string(point) + ":" + nth + ":kill"}});
      CHECK(app.ending().status == SIGKILL);
      start_another(leaks);
    }
}

// Fault host.ends (idle)
TEST_CASE("an app that is killed while its workers start leaves nothing behind") {
  for (const char* point : {"fork_server.before_greeting", "fork_server.before_serving",
                            "worker.after_fork", "worker.before_open", "worker.before_ready"}) {
    const LeakCheck leaks;
    INFO(point);
    App app("start_only", {}, {{"BULKHEAD_FAULT", std::string(point) + ":1:stall"}});
    await(app, "begun");
    // At whatever stage this finds it.
    REQUIRE(wait_until([&] { return !bulkhead::platform::children_of(app.pid()).empty(); }));
    app.kill(SIGKILL);
    CHECK(app.ending().status == SIGKILL);
    start_another(leaks);
  }
}

// Fault host.ends (idle)
TEST_CASE("an app that is killed as its pool ends leaves nothing behind") {
  for (const char* point : {"app.before_close", "worker.before_leaving", "fork_server.leave"}) {
    const LeakCheck leaks;
    INFO(point);
    App app("quiet", {}, {{"BULKHEAD_FAULT", std::string(point) + ":1:kill"}});
    app.ending();
    start_another(leaks);
  }
}

// Fault host.ends (one call)
TEST_CASE("an app that ends at any moment of its work leaves nothing behind") {
  struct Moment {
    const char *app, *fault;
    int status;
  };
  const Moment moment =
      GENERATE(values<Moment>({{"restarts", "app.after_greeting:1:kill", SIGKILL},
                               {"restarts", "app.before_restart:1:exit=3", 3},
                               {"restarts", "app.before_delivery:2:signal=11", SIGSEGV},
                               {"restarts", "app.mid_request:3:exit=3", 3},
                               {"restarts", "app.mid_response:3:kill", SIGKILL},
                               {"restarts", "ring.before_publish:3:kill", SIGKILL},
                               {"restarts", "link.before_ring:3:abort", SIGABRT},
                               {"restarts", "app.before_asking_to_leave:2:kill", SIGKILL},
                               {"is_impatient", "app.before_terminating:2:kill", SIGKILL},
                               {"is_refused", "app.before_kill:2:exit=3", 3},
                               {"gives", "app.before_giving:1:kill", SIGKILL},
                               {"gives", "blob.before_seal:2:kill", SIGKILL},
                               {"gives", "memory.map:2:exit=3", 3},
                               {"gives", "app.channel:2:kill", SIGKILL},
                               {"gives", "channel.mid_item:3:signal=11", SIGSEGV},
                               {"gives", "channel.left:1:kill", SIGKILL},
                               {"takes", "app.before_mapping:1:kill", SIGKILL},
                               {"takes", "channel.part_taken:3:exit=3", 3}}));
  const LeakCheck leaks;
  INFO(moment.app << ", " << moment.fault);
  App app(moment.app, {}, {{"BULKHEAD_FAULT", moment.fault}});
  const auto ending = app.ending();
  INFO(app.written());
  CHECK(ending.status == moment.status);
  start_another(leaks);
}

#endif
