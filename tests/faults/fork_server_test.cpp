// The process that stands between the app and its workers ends or hangs.
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <string_view>
#include <thread>

#include "faults/calls.hpp"
#include "platform/fault.hpp"
#include "platform/pidfd.hpp"
#include "platform/proc.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

pid_t fork_server_of(TestPool& pool) { return value_of(pool.run(LookAround{})).parent; }

std::ptrdiff_t zombies() {
  const auto below = platform::descendants_of({::getpid()});
  return std::count_if(below.begin(), below.end(),
                       [](const auto& process) { return process.state == 'Z'; });
}

#ifdef BULKHEAD_FAULT_POINTS
Launch with_fault(const std::string& fault) { return Launch::self().env("BULKHEAD_FAULT", fault); }
#endif

// 0: there is no such process.
char state_of(pid_t pid) {
  const auto stat =
      platform::parse_process_stat(platform::read_file("/proc/" + std::to_string(pid) + "/stat"));
  return stat ? stat->state : '\0';
}

}  // namespace

// Fault crash.fork-server-killed (one call): the fork server is killed.
// Then: its workers end with it, the calls that they ran fail with `fork_server_lost`, and all are
// started anew.
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

// Fault crash.fork-server-killed (idle)
TEST_CASE("a lone worker whose fork server is killed has crashed") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  REQUIRE(::kill(value_of(worker.run(LookAround{})).parent, SIGKILL) == 0);
  CHECK(wait_until([&] { return !worker.alive() && worker.crash(); }));
  CHECK(error_of(worker.run(Add{1, 2})).code() == errc::worker_crashed);
}

// Fault crash.fork-server-stopped (one call): the fork server is stopped or hangs.
// Then: calls go on; when it is needed and does not answer, it is replaced, with all of its
// workers.
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

// Fault crash.fork-server-killed (idle)
// Fault host.inherits (idle)
TEST_CASE("an app that inherits orphans keeps no zombie of a killed fork server's workers") {
  const LeakCheck leaks;
  const int status = in_child([] {
    platform::set_subreaper();
    TestPool pool{{.workers = 2}};
    for (int i = 0; i < 3; ++i) {
      const pid_t server = fork_server_of(pool);
      expect(::kill(server, SIGKILL) == 0);
      const auto replaced = [&] {
        try {
          return pool.stats().workers == 2 && fork_server_of(pool) != server;
        } catch (const Error&) {  // it was asked of a worker that was about to die
          return false;
        }
      };
      expect(wait_until(replaced));
      expect(wait_until([] { return zombies() == 0; }));
    }
    pool.shutdown();
    expect(!platform::has_children());
  });
  CHECK(status == 0);
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault crash.fork-server-stopped (one call)
// Fault host.inherits (one call)
TEST_CASE("an app that inherits orphans keeps no zombie of a worker that its fork server forgot") {
  const LeakCheck leaks;
  const int status = in_child([] {
    platform::set_subreaper();
    TestPool pool{{.workers = 2,
                   .launch = with_fault("fork_server.before_report:1:stall"),
                   .connect_timeout = 200ms}};
    expect(error_of(pool.run(Die{Death::exit_3})).code() == errc::worker_crashed);
    // It hangs before its successor is forked, and is ended for that.
    expect(wait_until([&] { return pool.stats().restarts > 0 && pool.stats().workers == 2; }));
    expect(wait_until([] { return zombies() == 0; }));
    pool.shutdown();
    expect(!platform::has_children());
  });
  CHECK(status == 0);
}

// Fault crash.fork-server-dies (one call): the fork server dies before it says how a worker ended.
// Then: the call fails with a status that may be unknown; all are started anew.
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

// Fault crash.fork-server-killed (one call)
TEST_CASE("what a killed fork server left is slow to go: other pools go on meanwhile") {
  const LeakCheck leaks;
  static std::atomic<int> looks;
  looks = 0;
  const Gate gate;
  TestPool pool{{.workers = 2}}, other{{.workers = 1}};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  const pid_t server = fork_server_of(pool);
  platform::set_fault_hook([](std::string_view point) { looks += point == "app.clear_roof"; });
  platform::use_faults("app.clear_roof:*:errno=16");
  REQUIRE(::kill(server, SIGKILL) == 0);
  CHECK(wait_until([] { return looks > 0; }));
  CHECK(error_of(other.run(Die{Death::abort})).code() == errc::worker_crashed);
  CHECK(value_of(other.run(Add{1, 2})) == 3);
  const Error error = error_of(std::move(running));
  INFO(error.what());
  CHECK(looks > 1);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::fork_server_lost);
  platform::set_fault_hook(nullptr);
  platform::use_faults("");
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault crash.fork-server-traced (idle): a debugger or tracer holds the fork server as it dies.
// Then: it is reaped once that lets go, and another is launched.
TEST_CASE("a fork server that dies while it is traced leaves no zombie") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const pid_t server = fork_server_of(pool);
  const platform::Pipe told = platform::make_pipe(), go = platform::make_pipe();
  const pid_t tracer = start_in_child([&] {
    const bool traces = ::ptrace(PTRACE_SEIZE, server, nullptr, nullptr) == 0;
    char byte = traces ? 'y' : 'n';
    expect(::write(told.write.get(), &byte, 1) == 1);
    expect(::read(go.read.get(), &byte, 1) == 1);
  });
  char traced = 0;
  REQUIRE(::read(told.read.get(), &traced, 1) == 1);
  ::kill(server, SIGKILL);
  if (traced == 'y') REQUIRE(wait_until([&] { return state_of(server) == 'Z'; }));
  REQUIRE(::write(go.write.get(), "", 1) == 1);
  REQUIRE(::waitpid(tracer, nullptr, 0) == tracer);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(wait_until([&] { return state_of(server) == 0; }));
}

// Fault crash.fork-server-stopped (one call)
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

// Fault crash.fork-server-stopped (idle)
TEST_CASE("a fork server that was stopped while hundreds of workers were asked for starts them") {
  const LeakCheck leaks;
  constexpr unsigned workers = 300;  // more than its socket has room for
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  if (files.rlim_max < 20 * workers) {
    WARN("this user may not have enough descriptors: not tested");
    return;
  }
  const rlimit more{files.rlim_max, files.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &more) == 0);
  static std::atomic<unsigned> ordered;
  ordered = 0;
  platform::set_fault_hook([](std::string_view point) { ordered += point == "app.after_order"; });
  std::jthread debugger([] {
    CHECK(wait_until([] { return ordered == workers; }));
    for (const pid_t child : platform::children_of(::getpid())) ::kill(child, SIGCONT);
  });
  const TestPool pool{{.workers = workers, .launch = with_fault("fork_server.before_fork:1:stop")}};
  debugger.join();
  platform::set_fault_hook(nullptr);
  CHECK(pool.stats().workers == workers);
  CHECK(pool.stats().restarts == 0);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
}

// Fault end.fork-server (idle): the fork server dies or hangs in a shutdown.
// Then: what waits is answered by the next; the pool ends.
TEST_CASE("the fork server dies or hangs as it is to leave: the pool ends all the same") {
  for (const char* fault :
       {"fork_server.leave:1:kill", "fork_server.leave:1:exit=3", "fork_server.leave:1:stall",
        "fork_server.mid_leaving:1:kill", "fork_server.mid_leaving:1:signal=11",
        "fork_server.mid_leaving:1:stop"}) {
    const LeakCheck leaks;
    INFO(fault);
    TestPool pool{{.workers = 1, .launch = with_fault(fault)}};
    const ShutdownReport report = pool.shutdown();
    CHECK(report.workers_left == 1);
    CHECK(report.workers_killed == 0);
    CHECK(report.unkillable.empty());
  }
}

#endif
