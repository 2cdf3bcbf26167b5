// Workers that are stopped, crash unseen, or have started others, beside calls of others.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "faults/event_log.hpp"
#include "faults/loads.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

// Holds a process, as a debugger does, until it is destroyed.
class Tracer {
 public:
  explicit Tracer(pid_t held) {
    process_ = start_in_child([&] {
      const bool holds = ::ptrace(PTRACE_SEIZE, held, nullptr, nullptr) == 0 &&
                         ::ptrace(PTRACE_INTERRUPT, held, nullptr, nullptr) == 0 &&
                         ::waitpid(held, nullptr, __WALL) == held;
      char byte = holds ? 'y' : 'n';
      expect(::write(told_.write.get(), &byte, 1) == 1);
      expect(::read(go_.read.get(), &byte, 1) == 1);
    });
    char byte = 0;
    holds_ = ::read(told_.read.get(), &byte, 1) == 1 && byte == 'y';
  }
  ~Tracer() {
    CHECK(::write(go_.write.get(), "", 1) == 1);
    CHECK(::waitpid(process_, nullptr, 0) == process_);
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool holds() const { return holds_; }

 private:
  const platform::Pipe told_ = platform::make_pipe(), go_ = platform::make_pipe();
  pid_t process_ = 0;
  bool holds_ = false;
};

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

// Fault crash.traced (idle, one call, many calls): a debugger holds a worker, also as it dies.
// Then: calls go on elsewhere; once it is dead its call fails and it is replaced, though nobody can
// reap it before the debugger lets go.
TEST_CASE("a worker that a debugger holds delays no other call, and is replaced when it dies") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers, .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  {
    const Tracer tracer(traffic.victim());
    if (!tracer.holds()) WARN("this user may not trace a worker: only killed");
    if (load == Load::one_call) CHECK(traffic.answers());
    REQUIRE(::kill(traffic.victim(), SIGKILL) == 0);
    CHECK(traffic.answers());
  }
  CHECK(traffic.settle({.died = {traffic.victim()}}) == none);
  CHECK(wait_until([&] { return !platform::start_time(traffic.victim()); }));
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
