// Processes that end, while the pool is idle, has one call, or has many.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/loads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

const Complaints none;

PoolOptions options(const Way& way) {
  return {.workers = Traffic::workers,
          .launch = way.launch,
          .restart = {.count = 0},
          .bytes = all_in_ring};
}

// The first workers, as many as `hit` says.
std::vector<pid_t> first(const Traffic& traffic, std::size_t hit) {
  return {traffic.all().begin(), traffic.all().begin() + static_cast<std::ptrdiff_t>(hit)};
}

void kill_all(const std::vector<pid_t>& pids, int signal) {
  for (const pid_t pid : pids) REQUIRE(::kill(pid, signal) == 0);
}

}  // namespace

// Fault crash.signal (idle, one call, many calls)
TEST_CASE("workers that a signal ends fail the calls that they ran, and no others") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  for (const int signal : {SIGKILL, SIGSEGV, SIGTERM}) {
    INFO(signal);
    TestPool pool{options(way)};
    Traffic traffic(pool, load);
    const auto hit = first(traffic, 2);
    kill_all(hit, signal);
    CHECK(traffic.answers());
    CHECK(traffic.settle({.died = hit, .cause = Cause::signaled, .signal = signal}) == none);
    CHECK(pool.stats().crashes == 2);
    CHECK(wait_until([&] { return pool.stats().restarts == 2; }));
  }
}

// Fault crash.all (idle, one call, many calls)
TEST_CASE("workers that all end at once fail what ran, and their successors answer what waited") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  kill_all(traffic.all(), SIGKILL);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = traffic.all(), .signal = SIGKILL}) == none);
  CHECK(pool.stats().crashes == 3);
}

// Fault crash.in-handler (idle, one call, many calls)
TEST_CASE("requests that end their workers in every way fail alone among others") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  std::uint64_t deaths = 0;
  for (int death = 0; death <= static_cast<int>(Death::throw_through_noexcept); ++death) {
    const auto crashed = [](const Error* error) {
      const bool right = error && error->code() == errc::worker_crashed && error->crash() &&
                         error->crash()->running.size() == 1 &&
                         error->crash()->running[0].request == "Die";
      return right ? "" : "did not fail by itself";
    };
    traffic.add("Die " + std::to_string(death), pool.run(Die{static_cast<Death>(death)}), crashed);
    if (load == Load::many_calls) traffic.mix(2);
    ++deaths;
  }
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == deaths);
}

// Fault crash.poison (idle, one call, many calls)
TEST_CASE("a request that kills each worker is given up after its attempts, and alone") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const TempDir folder;
  TestPool pool{{.workers = Traffic::workers, .max_attempts = 3}};
  Traffic traffic(pool, load);
  traffic.add("Poison", pool.run(Poison{folder / "log"}), [&](const Error* error) {
    const bool right = error && error->code() == errc::worker_crashed && error->crash() &&
                       error->crash()->running.at(0).attempt == 3 &&
                       pids_in(folder / "log").size() == 3;
    return right ? "" : "was not given up after three attempts";
  });
  if (load == Load::many_calls) traffic.mix(10);
  CHECK(traffic.settle({}) == none);
  CHECK(pool.stats().crashes == 3);
}

// Fault crash.lone (one call, many calls)
TEST_CASE("a worker by itself that ends fails all calls that wait for it, with its report") {
  const LeakCheck leaks;
  const std::size_t calls = GENERATE(std::size_t{0}, std::size_t{100});
  const bool with_fork_server = GENERATE(false, true);
  INFO(calls << " calls wait; the fork server is killed: " << with_fork_server);
  const Gate gate;
  auto worker = TestWorker::start();
  const pid_t pid = worker.pid();
  const pid_t fork_server = value_of(worker.run(LookAround{})).parent;
  auto running = worker.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<int>> waiting;
  for (std::size_t i = 0; i < calls; ++i) waiting.push_back(worker.run(Add{1, 2}));
  kill_all({with_fork_server ? fork_server : pid}, SIGKILL);
  const Error error = error_of(std::move(running));
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->pid == pid);
  CHECK(error.crash()->running.size() == 1);
  waiting.push_back(worker.run(Add{1, 2}));
  for (auto& call : waiting) {
    const Error why = error_of(std::move(call));
    CHECK(why.code() == errc::worker_crashed);
    REQUIRE(why.crash());
    CHECK(why.crash()->pid == pid);
  }
}

// Fault crash.loop (idle, one call, many calls)
TEST_CASE("a pool none of whose workers start again gives up, and fails what waits") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const TempDir folder;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = Traffic::workers,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 1}}};
  Traffic traffic(pool, load);
  std::ofstream(broken).put('\n');
  kill_all(traffic.all(), SIGKILL);
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::restart_limit);
  CHECK(traffic.settle_over(
            {.died = traffic.all(), .signal = SIGKILL, .unanswered = errc::restart_limit}) == none);
  CHECK(error_of(pool.run(Echo{"more"})).code() == errc::restart_limit);
}

// Fault crash.loop (one call, many calls)
TEST_CASE("a pool some of whose workers do not start again goes on with the others") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const TempDir folder;
  const std::string broken = folder / "broken";
  TestPool pool{{.workers = Traffic::workers,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  std::ofstream(broken).put('\n');
  kill_all({traffic.victim()}, SIGKILL);
  REQUIRE(wait_until([&] { return pool.stats().crashes >= 3; }));
  if (load != Load::many_calls) CHECK(traffic.answers());
  std::filesystem::remove(broken);
  CHECK(traffic.settle({.died = {traffic.victim()}, .signal = SIGKILL}) == none);
}

// ------------------------------------------------------------ the fork server

// Fault crash.fork-server-killed (idle, one call, many calls)
TEST_CASE("a fork server that is killed takes all workers along, and all are started anew") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  traffic.kill_fork_server();
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = traffic.all(), .cause = Cause::fork_server_lost}) == none);
}

// Fault crash.fork-server-stopped (idle, one call, many calls)
TEST_CASE("a fork server that is stopped disturbs no call, and a worker's end is seen later") {
  const LeakCheck leaks;
  const Way way = GENERATE(from_range(all_ways()));
  const Load load = GENERATE(from_range(all_loads));
  INFO(way.name << ", " << name(load));
  TestPool pool{options(way)};
  Traffic traffic(pool, load);
  kill_all({traffic.fork_server()}, SIGSTOP);
  if (load != Load::many_calls) CHECK(traffic.answers());
  kill_all({traffic.victim()}, SIGKILL);
  REQUIRE(wait_until([&] { return pool.stats().crashes == 1; }));
  kill_all({traffic.fork_server()}, SIGCONT);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = {traffic.victim()}}) == none);
}

// Fault crash.fork-server-stopped (idle, one call, many calls)
TEST_CASE("a fork server that is stopped when it is needed is replaced, with all of its workers") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  TestPool pool{{.workers = Traffic::workers, .connect_timeout = 1000ms, .restart = {.count = 0}}};
  Traffic traffic(pool, load);
  kill_all({traffic.fork_server()}, SIGSTOP);
  kill_all({traffic.victim()}, SIGKILL);
  CHECK(traffic.answers());
  CHECK(traffic.settle({.died = traffic.all()}) == none);
}

// ------------------------------------------------------------ moments

#ifdef BULKHEAD_FAULT_POINTS

namespace {

struct Storm {
  const char* point;
  int nth;  // each worker comes there so often, and dies
};
const std::vector<Storm> storms = {
    {"worker.after_claim", 13},
    {"worker.before_response", 13},
    {"ring.before_publish", 17},
    {"worker.mid_response", 9},
};

struct Quiet {
  const char* point;
  int nth;
};
const std::vector<Quiet> quiet = {
    {"worker.before_claim", 5},
    {"link.before_ring", 2},
    {"worker.after_response", 5},
};

}  // namespace

// Fault crash.begun (many calls)
TEST_CASE("workers that die again and again while they run calls fail these calls and no others") {
  const LeakCheck leaks;
  const Storm storm = GENERATE(from_range(storms));
  INFO(storm.point);
  const auto fault = std::string(storm.point) + ":" + std::to_string(storm.nth) + ":kill";
  TestPool pool{{.workers = 3,
                 .launch = Launch::self().env("BULKHEAD_FAULT", fault),
                 .max_attempts = 1000,
                 .restart = {.count = 0},
                 .bytes = all_in_ring}};
  std::vector<Future<std::string>> plain;
  std::vector<Future<int>> idempotent;
  for (int i = 0; i < 100; ++i) {
    plain.push_back(pool.run(Answer{i % 4 == 0 ? 300'000u : 30u}));
    idempotent.push_back(pool.run(Add{i, 1}));
  }
  std::uint64_t failed = 0;
  for (auto& call : plain) {
    try {
      const std::string text = value_of(std::move(call));
      CHECK(text.starts_with("abcdefgh"));
    } catch (const Error& error) {
      INFO(error.what());
      ++failed;
      CHECK(error.code() == errc::worker_crashed);
      REQUIRE(error.crash());
      CHECK(error.crash()->status.signal == SIGKILL);
      REQUIRE(error.crash()->running.size() == 1);
      CHECK(error.crash()->running[0].request == "Answer");
    }
  }
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(idempotent[static_cast<std::size_t>(i)])) == i + 1);
  const PoolStats stats = pool.stats();
  CHECK(failed > 0);
  CHECK(stats.failed == failed);
  CHECK(stats.completed == 200 - failed);
  CHECK(stats.crashes >= failed);
}

// Fault crash.not-begun (one call, many calls)
// Fault crash.answered (one call, many calls)
TEST_CASE("a worker that dies between calls, or before its bell, fails none of them") {
  const LeakCheck leaks;
  const Quiet moment = GENERATE(from_range(quiet));
  const bool many = GENERATE(false, true);
  INFO(moment.point << (many ? ", many calls" : ", one call"));
  TestPool pool{options({"forked", Launch::self()})};
  const auto fault = std::string(moment.point) + ":" + std::to_string(moment.nth) + ":kill";
  for (std::size_t i = 0; i < Traffic::workers; ++i) value_of(pool.run(Inject{fault}));
  if (many) {
    Traffic traffic(pool, Load::many_calls);
    traffic.mix(20);
    CHECK(traffic.settle({}) == none);
  } else {
    for (int i = 0; i < 40; ++i)
      CHECK(value_of(pool.run(Echo{std::to_string(i)})) == std::to_string(i));
  }
  CHECK(wait_until([&] { return pool.stats().crashes > 0; }));
  if (!many) CHECK(pool.stats().failed == 0);
}

// Fault crash.begun (idle, one call, many calls)
TEST_CASE("a worker that dies halfway through a large answer fails that call and no other") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const TempDir folder;
  const std::string faults = folder / "faults";
  TestPool pool{options({"forked", Launch::self().env("BULKHEAD_FAULT", "@" + faults)})};
  Traffic traffic(pool, load);
  traffic.let_go();
  if (load == Load::many_calls) traffic.mix(10);
  CHECK(traffic.settle({}) == none);
  for (const int part : {1, 3, 5}) {
    // Every worker from now on; whichever gets it dies in it.
    std::ofstream(faults) << "worker.mid_response:" << part << ":kill";
    const Error error = error_of(pool.run(Answer{1 << 20}));
    INFO(error.what());
    CHECK(error.code() == errc::worker_crashed);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
  std::filesystem::remove(faults);
  CHECK(value_of(pool.run(Answer{1 << 20})).size() == 1 << 20);
}

#endif
