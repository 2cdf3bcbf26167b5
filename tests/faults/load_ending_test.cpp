// The end of a pool that is idle, has one call, or has many; alone, and as its processes end too.
#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include "faults/loads.hpp"
#include "platform/proc.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;
constexpr Fate all_cut_off{.died = {}, .unanswered = errc::shut_down, .cut_off = errc::shut_down};

PoolOptions options(const Way& way) {
  return {.workers = Traffic::workers, .launch = way.launch, .restart = {.count = 0}};
}

bool refuses(TestPool& pool) {
  auto call = pool.run(Add{1, 1});
  if (!call.ready()) return false;
  try {
    call.get();
    return false;
  } catch (const Error& error) {
    return error.code() == errc::shut_down;
  }
}

// A shutdown that has begun: no call is taken any more.
class Shutdown {
 public:
  explicit Shutdown(TestPool& pool, std::chrono::milliseconds grace = default_watchdog)
      : thread_([&pool, grace, this] { report_ = pool.shutdown(grace); }) {
    begun_ = wait_until([&] { return refuses(pool); });
  }
  ~Shutdown() { join(); }
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  bool begun() const { return begun_; }
  const ShutdownReport& report() {
    join();
    return report_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  bool begun_ = false;
  ShutdownReport report_;
  std::thread thread_;
};

bool gone(pid_t pid) { return !platform::start_time(pid); }

}  // namespace

// Fault end.destroyed (idle, one call, many calls)
TEST_CASE("a pool that is destroyed ends all that it has, and tells its callers") {
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  const LeakCheck leaks;
  INFO(way.name << ", " << name(load));
  std::optional<TestPool> pool(options(way));
  std::vector<pid_t> helpers;
  for (const Helper helper : {Helper::child, Helper::own_session, Helper::grandchild})
    helpers.push_back(value_of(pool->run(Start{helper})));
  Traffic traffic(*pool, load);
  pool.reset();
  CHECK(traffic.settle_over(all_cut_off) == none);
  for (const pid_t helper : helpers) CHECK(wait_until([&] { return gone(helper); }));
}

// Fault end.shutdown (idle, one call, many calls)
TEST_CASE(
    "a shutdown answers everything that there is, from however many threads it is asked for") {
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  const LeakCheck leaks;
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  if (load == Load::idle) {
    CHECK(pool.shutdown().workers_left == 3);
  } else {
    Shutdown one(pool), other(pool);
    CHECK(one.begun());
    CHECK(pool.stats().workers == 3);
    traffic.let_go();
    CHECK(traffic.settle_over({}) == none);
    CHECK(one.report().workers_left == 3);
    CHECK(one.report().elapsed == other.report().elapsed);
  }
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::shut_down);
}

// Fault end.hangs (idle, one call, many calls)
TEST_CASE("a shutdown with workers that are stopped ends them after the grace") {
  const LeakCheck leaks;
  struct Row {
    Row(const Way& way, Load load) : pool(options(way)), traffic(pool, load) {}
    TestPool pool;
    Traffic traffic;
    std::optional<Shutdown> shutdown;
  };
  // All of them at once, so that they wait together.
  std::vector<std::unique_ptr<Row>> rows;
  for (const Way& way : all_ways())
    for (const Load load : all_loads) rows.push_back(std::make_unique<Row>(way, load));
  for (auto& row : rows) {
    for (const pid_t pid : row->traffic.all()) REQUIRE(::kill(pid, SIGSTOP) == 0);
    row->shutdown.emplace(row->pool, 20ms);
  }
  for (auto& row : rows) {
    const ShutdownReport report = row->shutdown->report();
    CHECK(report.workers_killed == 3);
    CHECK(report.workers_left == 0);
    CHECK(row->traffic.settle_over(all_cut_off) == none);
  }
}

// Fault end.grace (one call, many calls)
TEST_CASE("a shutdown whose grace is over fails what is left, and ends its workers") {
  const Load load = GENERATE(Load::one_call, Load::many_calls);
  const LeakCheck leaks;
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers}};
  Traffic traffic(pool, load);
  const ShutdownReport report = pool.shutdown(20ms);
  CHECK(report.calls_failed > 0);
  CHECK(report.workers_left + report.workers_killed == 3);
  CHECK(traffic.settle_over(all_cut_off) == none);
}

// Fault end.dies (one call, many calls)
TEST_CASE("a worker that dies in a shutdown fails the call that it ran, and no other") {
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(Load::one_call, Load::many_calls);
  const LeakCheck leaks;
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  Shutdown shutdown(pool);
  REQUIRE(shutdown.begun());
  REQUIRE(::kill(traffic.victim(), SIGKILL) == 0);
  CHECK(traffic.settle_over({.died = {traffic.victim()}, .signal = SIGKILL}) == none);
  CHECK(shutdown.report().unkillable.empty());
}

// Fault end.fork-server (one call, many calls)
TEST_CASE("a fork server that dies in a shutdown is replaced for what still waits") {
  const Load load = GENERATE(Load::one_call, Load::many_calls);
  const LeakCheck leaks;
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers, .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  Shutdown shutdown(pool);
  REQUIRE(shutdown.begun());
  traffic.kill_fork_server();
  CHECK(traffic.settle_over({.died = traffic.all(), .cause = Cause::fork_server_lost}) == none);
  CHECK(shutdown.report().unkillable.empty());
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault end.dies (idle)
// Fault end.hangs (idle)
TEST_CASE("workers that die or hang as they are asked to leave end with the pool") {
  struct Leaving {
    const char* fault;
    bool killed;
  };
  const Leaving leaving = GENERATE(values<Leaving>({{"worker.before_leaving:1:kill", false},
                                                    {"worker.before_leaving:1:exit=3", false},
                                                    {"worker.before_leaving:1:stall", true}}));
  const bool fresh = GENERATE(false, true);
  const LeakCheck leaks;
  INFO(leaving.fault << (fresh ? ", executed" : ", forked"));
  const auto launch = Launch::self().env("BULKHEAD_FAULT", leaving.fault).fresh(fresh);
  TestPool pool{{.workers = Traffic::workers, .launch = launch}};
  Traffic traffic(pool, Load::many_calls);
  traffic.let_go();
  CHECK(traffic.settle({}) == none);
  const ShutdownReport report = pool.shutdown(leaving.killed ? 20ms : default_watchdog);
  CHECK(report.workers_left == (leaving.killed ? 0 : 3));
  CHECK(report.workers_killed == (leaving.killed ? 3 : 0));
}

#endif
