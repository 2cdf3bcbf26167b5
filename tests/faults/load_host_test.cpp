// What applications do, and what is done to them, while their pool is idle, has one call, or many.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

#include "faults/apps.hpp"
#include "faults/loads.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/unsanitized.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

PoolOptions options(const Launch& launch = Launch::self()) {
  return {.workers = Traffic::workers, .launch = launch, .restart = {.count = 0}};
}

// In a process that is the application.
void expect_none(const Complaints& complaints) {
  for (const auto& complaint : complaints) expect(false, complaint);
}

}  // namespace

// Fault host.storm (idle, one call, many calls)
TEST_CASE("a worker that dies in a storm of signals is replaced, and no other call is lost") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const int status = in_child([&] {
    const auto& storms = begin_storm();
    TestPool pool{options(Launch::self().env("TEST_WARM_UP", "storm"))};
    Traffic traffic(pool, load);
    ::kill(traffic.victim(), SIGKILL);
    expect(traffic.answers());
    expect_none(traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}));
    expect(pool.shutdown().workers_killed == 0);
    expect(wait_until([&] { return storms > 100; }), "there is no storm");
  });
  CHECK(status == 0);
}

// Fault host.clock (idle, one call, many calls): the wall clock jumps by hours, to and fro.
// Then: nobody is early, late or suspect for that.
TEST_CASE("a clock that jumps hastens and delays nothing") {
  if (BULKHEAD_SANITIZED) return;  // a sanitizer must be loaded before the clock
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  App app("out_of_time", {name(load)}, {{"LD_PRELOAD", JUMPING_CLOCK}});
  check_ends_well(app);
}

// Fault beat.app (idle, one call, many calls)
TEST_CASE("an app that was stopped for long suspects none of its workers, whatever they do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const TempDir folder;
  const pid_t app = start_in_child([&] {
    auto beating = options();
    beating.heartbeat = 10ms;
    beating.kill_suspects = true;
    TestPool pool{beating};
    Traffic traffic(pool, load);
    put(folder / "ready", "");
    wait_for(folder / "go");
    expect_none(traffic.settle({}));
    expect(pool.stats().crashes == 0, "a worker was suspected");
  });
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "ready"); }));
  REQUIRE(::kill(app, SIGSTOP) == 0);
  const auto since = std::chrono::steady_clock::now();
  REQUIRE(wait_until([&] { return std::chrono::steady_clock::now() - since > 300ms; }));
  put(folder / "go", "");
  REQUIRE(::kill(app, SIGCONT) == 0);
  int status = -1;
  REQUIRE(::waitpid(app, &status, 0) == app);
  CHECK(status == 0);
}

// Fault host.children (idle, one call, many calls)
TEST_CASE("an app that does not reap its children learns how all of its workers ended") {
  const LeakCheck leaks;
  const bool reaps_all = GENERATE(false, true);
  const Load load = GENERATE(from_range(all_loads));
  INFO((reaps_all ? "reaps all, " : "ignores them, ") << name(load));
  const int status = in_child([&] {
    const auto reap = [](int) {
      const int interrupted = errno;
      while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
      errno = interrupted;
    };
    ::signal(SIGCHLD, reaps_all ? +reap : SIG_IGN);
    TestPool pool{options()};
    {
      Traffic traffic(pool, load);
      ::kill(traffic.victim(), SIGSEGV);
      expect(traffic.answers());
      Fate fate{.died = {traffic.victim()}};
      if (!BULKHEAD_SANITIZED) fate.signal = SIGSEGV;
      expect_none(traffic.settle(fate));
    }
    Traffic traffic(pool, load);
    traffic.kill_fork_server();
    expect_none(traffic.settle({.died = traffic.all(), .cause = Cause::fork_server_lost}));
  });
  CHECK(status == 0);
}

// Fault host.forks (idle, one call, many calls)
TEST_CASE("a fork of an app can call nobody's workers but its own, whatever these do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{options()};
  Traffic traffic(pool, load);
  const int status = in_child([&] {
    expect(error_of(pool.run(Add{1, 2})).code() == errc::shut_down);
    TestPool own{{.workers = 1}};
    expect(value_of(own.run(Add{1, 2})) == 3);
  });
  CHECK(status == 0);
  ::kill(traffic.victim(), SIGKILL);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}) == none);
}

// Fault host.thread-ends (idle, one call, many calls)
TEST_CASE("workers live on when the thread that started them ends, and are replaced if they die") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  std::optional<TestPool> pool;
  std::optional<Traffic> traffic;
  std::thread([&] {
    pool.emplace(options());
    traffic.emplace(*pool, load);
  }).join();
  if (load != Load::many_calls) CHECK(traffic->answers());
  CHECK(pool->stats().crashes == 0);
  ::kill(traffic->victim(), SIGKILL);
  CHECK(traffic->answers());
  CHECK(traffic->settle({.died = {traffic->victim()}, .signal = SIGKILL}) == none);
}

// Fault host.signals (idle, one call, many calls)
TEST_CASE("an app that SIGPIPE would end lives on when all of its workers are gone at once") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const int status = in_child([&] {
    ::signal(SIGPIPE, SIG_DFL);
    TestPool pool{options()};
    Traffic traffic(pool, load);
    for (const pid_t worker : traffic.all()) ::kill(worker, SIGKILL);
    traffic.mix(20);
    expect(traffic.answers());
    expect_none(traffic.settle({.died = traffic.all(), .signal = SIGKILL}));
  });
  CHECK(status == 0);
}

// Fault value.flood (idle, one call, many calls)
TEST_CASE("a worker that floods an output which nobody reads harms no other call") {
  const LeakCheck leaks;
  const bool broken = GENERATE(false, true);
  const Load load = GENERATE(from_range(all_loads));
  INFO((broken ? "broken pipe, " : "full pipe, ") << name(load));
  const int status = in_child([&] {
    platform::Pipe pipe = platform::make_pipe();
    if (broken) pipe.read.reset();
    const std::array own{platform::Fd(::dup(1)), platform::Fd(::dup(2))};
    for (const int number : {1, 2}) ::dup2(pipe.write.get(), number);
    TestPool pool{options()};
    Traffic traffic(pool, load);
    std::string line(99, 'x');
    line += '\n';
    const auto flood = [&](std::uint64_t megabytes) {
      traffic.add("Flood", pool.run(Flood{.size = megabytes << 20, .line = line}),
                  [](const Error* error) -> std::string {
                    if (!error) return "answered";
                    const bool right = error->crash() && error->crash()->status.signal == SIGABRT;
                    return right ? "" : error->what();
                  });
    };
    flood(4);
    if (load == Load::many_calls)
      for (int i = 0; i < 4; ++i) flood(1);
    traffic.mix(20);
    const Complaints complaints = traffic.settle({});
    for (const int number : {1, 2}) ::dup2(own[static_cast<std::size_t>(number - 1)].get(), number);
    expect_none(complaints);
  });
  CHECK(status == 0);
}
