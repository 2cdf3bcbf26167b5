// What makes other process pools hang: a side that throws or dies at one step of a call, at any
// size, in whatever state the pool is. Here every call settles, with the right cause.
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <ostream>
#include <thread>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

struct Case {
  Harm harm;
  Step step;
  std::size_t size;

  Hurt request() const { return {{harm, step, std::string(size, 'x')}}; }
  bool in_app() const { return step == Step::packing_request || step == Step::unpacking_response; }
  errc code() const {
    if (in_app()) return errc::codec_failed;
    return harm == Harm::throws ? errc::handler_failed : errc::worker_crashed;
  }
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << "harm " << int(one.harm) << " at step " << int(one.step) << " with " << one.size
             << " bytes";
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  // Small, in parts through the ring, and beside the message.
  for (const std::size_t size : {10UL, 250'000UL, 1UL << 20}) {
    for (const Harm harm : {Harm::throws, Harm::exits, Harm::aborts, Harm::is_killed})
      for (const Step step : {Step::unpacking_request, Step::running, Step::packing_response})
        cases.push_back({harm, step, size});
    cases.push_back({Harm::throws, Step::packing_request, size});
    cases.push_back({Harm::throws, Step::unpacking_response, size});
  }
  return cases;
}

// The call of the case has ended as it must, and names what it ran.
void check_failed(const Case& one, Future<Harmed> call) {
  const Error error = error_of(std::move(call));
  INFO(error.what());
  CHECK(error.code() == one.code());
  CHECK((error.crash() != nullptr) == (one.code() == errc::worker_crashed));
  if (!error.crash()) return;
  CHECK(error.crash()->cause == (one.harm == Harm::exits ? Cause::exited : Cause::signaled));
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].request == "Hurt");
}

bool refuses(TestPool& pool) {
  auto late = pool.run(Add{1, 1});
  return late.ready() && error_of(std::move(late)).code() == errc::shut_down;
}

// A pool of one worker, with calls that wait behind one that runs until it is let go.
class Held {
 public:
  explicit Held(std::size_t queue_limit)
      : pool({.workers = 1, .queue_limit = queue_limit}), running_(pool.run(gate_.call("first"))) {
    gate_.runner("first");
  }
  void let_go() {
    gate_.open();
    CHECK(value_of(std::move(running_)) > 0);
  }

  TestPool pool;

 private:
  const Gate gate_;
  Future<pid_t> running_;
};

}  // namespace

// Fault crash.any-step (one call): a side throws, exits, aborts or is killed at any step of a call:
// packing, unpacking, running.
// Then: that call alone fails, by its own cause, whatever else the pool does; nothing hangs.
TEST_CASE("harm at any step of a call to an idle pool fails that call alone") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  for (const Case& one : all_cases()) {
    INFO(one);
    check_failed(one, pool.run(one.request()));
    CHECK(value_of(pool.run(Add{40, 2})) == 42);
    CHECK(value_of(pool.run(Hurt{{.payload = std::string(one.size, 'y')}})).payload.size() ==
          one.size);
  }
  CHECK(pool.stats().failed == all_cases().size());
  CHECK(pool.stats().crashes == 27);
}

// Fault crash.any-step (many calls)
TEST_CASE("harm at any step of a call from a full queue fails that call alone") {
  const LeakCheck leaks;
  for (const Case& one : all_cases()) {
    INFO(one);
    constexpr int others = 7;
    Held held(others + 1);
    auto harmed = held.pool.run(one.request());
    if (one.step == Step::packing_request) {  // it never gets as far as the queue
      CHECK(harmed.ready());
      check_failed(one, std::move(harmed));
      harmed = held.pool.run(Hurt{});
    }
    std::vector<Future<int>> behind;
    for (int i = 0; i < others; ++i) behind.push_back(held.pool.run(Add{i, 1}));
    CHECK(error_of(held.pool.run(Add{1, 1})).code() == errc::queue_full);
    CHECK_FALSE(harmed.ready());
    held.let_go();
    if (one.step == Step::packing_request)
      CHECK(value_of(std::move(harmed)).step == Step::none);
    else
      check_failed(one, std::move(harmed));
    for (int i = 0; i < others; ++i)
      CHECK(value_of(std::move(behind[static_cast<std::size_t>(i)])) == i + 1);
    CHECK(value_of(held.pool.run(Add{40, 2})) == 42);
  }
}

// Fault crash.any-step (one call)
// Fault end.dies (one call)
TEST_CASE("harm at any step of a call while the pool shuts down fails that call alone") {
  const LeakCheck leaks;
  for (const Case& one : all_cases()) {
    INFO(one);
    Held held(100);
    auto harmed = held.pool.run(one.request());
    auto behind = held.pool.run(Add{40, 2});
    ShutdownReport report;
    std::thread shutting([&] { report = held.pool.shutdown(default_watchdog); });
    const bool begun = wait_until([&] { return refuses(held.pool); });
    held.let_go();
    check_failed(one, std::move(harmed));
    CHECK(value_of(std::move(behind)) == 42);
    shutting.join();
    CHECK(begun);
    CHECK(report.workers_left == 1);
    CHECK(report.workers_killed == 0);
  }
}

// Fault end.shutdown (idle)
TEST_CASE("harm that a shut down pool is asked for is refused, or done in the app alone") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  pool.shutdown();
  for (const Case& one : all_cases()) {
    INFO(one);
    const Error error = error_of(pool.run(one.request()));
    CHECK(error.code() ==
          (one.step == Step::packing_request ? errc::codec_failed : errc::shut_down));
  }
}

// Fault crash.any-step (one call)
// Fault crash.lone (one call)
TEST_CASE("harm to a lone worker: what waits behind fails too, at once and ever after") {
  const LeakCheck leaks;
  for (const Case& one : all_cases()) {
    INFO(one);
    auto worker = TestWorker::start();
    auto harmed = worker.run(one.request());
    auto behind = worker.run(Add{40, 2});
    check_failed(one, std::move(harmed));
    if (one.code() != errc::worker_crashed) {
      CHECK(value_of(std::move(behind)) == 42);
      CHECK(worker.alive());
      continue;
    }
    CHECK(error_of(std::move(behind)).code() == errc::worker_crashed);
    CHECK(error_of(worker.run(Add{40, 2})).code() == errc::worker_crashed);
    REQUIRE(worker.crash());
    CHECK(worker.crash()->running.size() == 1);
  }
}

// Fault crash.all (many calls)
TEST_CASE("all workers are killed at once while the queue is full: only what ran fails") {
  const LeakCheck leaks;
  const Gate gate;
  constexpr std::size_t limit = 20;
  TestPool pool{{.workers = 3, .queue_limit = limit}};
  std::vector<Future<pid_t>> running;
  std::vector<Future<Harmed>> waiting;
  std::vector<pid_t> pids;
  for (const char* name : {"1", "2", "3"}) running.push_back(pool.run(gate.call(name)));
  for (const char* name : {"1", "2", "3"}) pids.push_back(gate.runner(name));
  for (std::size_t i = 0; i < limit; ++i)
    waiting.push_back(pool.run(Hurt{{.payload = std::string(i % 2 ? 1 << 20 : 10, 'x')}}));
  CHECK(error_of(pool.run(Add{1, 1})).code() == errc::queue_full);
  for (const pid_t pid : pids) REQUIRE(::kill(pid, SIGKILL) == 0);
  for (auto& call : running) CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
  for (std::size_t i = 0; i < limit; ++i)
    CHECK(value_of(std::move(waiting[i])).payload.size() == (i % 2 ? 1 << 20 : 10));
  CHECK(pool.stats().failed == 4);
}

// Fault crash.all (idle)
TEST_CASE("all workers are killed at once while nothing runs: calls are answered by new ones") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3}};
  std::vector<pid_t> pids;
  {
    const Gate gate;
    std::vector<Future<pid_t>> calls;
    for (const char* name : {"1", "2", "3"}) calls.push_back(pool.run(gate.call(name)));
    for (const char* name : {"1", "2", "3"}) pids.push_back(gate.runner(name));
    gate.open();
    for (auto& call : calls) value_of(std::move(call));
  }
  for (const pid_t pid : pids) REQUIRE(::kill(pid, SIGKILL) == 0);
  std::vector<Future<int>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(pool.run(Add{i, 1}));
  for (int i = 0; i < 50; ++i)
    CHECK(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1);
}

// Fault hostile.kills (many calls): it kills other workers.
// Then: they are replaced like any that died; only what they ran fails.
TEST_CASE("workers that kill each other fail only what they ran") {
  const LeakCheck leaks;
  for (int round = 0; round < 5; ++round) {
    INFO(round);
    const Gate gate;
    TestPool pool{{.workers = 4}};
    std::vector<Future<pid_t>> held;
    std::vector<pid_t> pids;
    for (const char* name : {"1", "2", "3", "4"}) held.push_back(pool.run(gate.call(name)));
    for (const char* name : {"1", "2", "3", "4"}) pids.push_back(gate.runner(name));
    std::vector<Future<void>> killers;
    for (int i = 0; i < 4; ++i) killers.push_back(pool.run(KillSiblings{pids}));
    std::vector<Future<int>> others;
    for (int i = 0; i < 50; ++i) others.push_back(pool.run(Add{i, 1}));
    gate.open();
    const auto settles = [&](auto& call) {
      try {
        value_of(std::move(call));
      } catch (const Error& error) {
        INFO(error.what());
        REQUIRE(error.crash());
        CHECK(error.code() == errc::worker_crashed);
        CHECK(std::count(pids.begin(), pids.end(), error.crash()->pid) == 1);
      }
    };
    for (auto& call : held) settles(call);
    for (auto& call : killers) settles(call);
    for (int i = 0; i < 50; ++i)
      CHECK(value_of(std::move(others[static_cast<std::size_t>(i)])) == i + 1);
    CHECK(pool.stats().crashes >= 1);
  }
}

// Fault end.destroyed (many calls)
TEST_CASE("crashes while a pool is destroyed: every call settles") {
  const LeakCheck leaks;
  for (const Case& one : all_cases()) {
    if (one.in_app()) continue;
    INFO(one);
    std::optional<TestPool> pool(PoolOptions{.workers = 2});
    std::vector<Future<Harmed>> calls;
    for (int i = 0; i < 6; ++i) calls.push_back(pool->run(one.request()));
    // The first has just met its end, the others are about to.
    if (one.harm != Harm::throws) static_cast<void>(calls[0].wait_for(default_watchdog));
    pool.reset();
    for (auto& call : calls) {
      REQUIRE(call.ready());
      const Error error = error_of(std::move(call));
      INFO(error.what());
      CHECK((error.code() == one.code() || error.code() == errc::shut_down));
    }
  }
}
