// Workers that write into the memory they share with the app, and misuse their doorbell: the app
// stays alive, every call is settled, and other workers' calls are answered.
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// Settled, by whatever: a worker that harms itself may still answer.
template <class T>
void settle(Future<T> future) {
  REQUIRE(future.wait_for(default_watchdog));
  try {
    static_cast<void>(future.get());
  } catch (const Error& error) {
    INFO(error.what());
    CHECK((error.code() == errc::worker_crashed || error.code() == errc::handler_failed));
  }
}

constexpr int targets = static_cast<int>(Target::count);

}  // namespace

// Fault hostile.memory (one call): it writes nonsense to positions, frames, slots, once or all the
// time.
// Then: it is ended with `protocol_violation`, or harms its own calls only.
TEST_CASE("a worker that scribbles into its own memory fails its own calls at most") {
  const LeakCheck leaks;
  for (int i = 0; i < targets; ++i)
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      INFO("target " << i << ", seed " << seed);
      TestPool pool{{.workers = 1, .restart = {.count = 0}}};
      settle(pool.run(Scribble{static_cast<Target>(i), seed}));
      for (int k = 0; k < 3; ++k) settle(pool.run(Add{k, k}));
    }
}

// Fault hostile.memory (many calls)
TEST_CASE("a worker that scribbles keeps no call from being settled") {
  const LeakCheck leaks;
  for (std::uint64_t seed = 0; seed < 30; seed += 3) {
    INFO(seed);
    TestPool pool{{.workers = 2, .restart = {.count = 0}}};
    std::vector<Future<void>> scribbles;
    std::vector<Future<int>> others;
    for (std::uint64_t more = 0; more < 3; ++more) {
      const bool answers = more != 1;
      const Target target = answers ? Target::everything : Target::answers_end;
      scribbles.push_back(pool.run(Scribble{target, seed + more, answers}));
      for (int k = 0; k < 10; ++k) others.push_back(pool.run(Add{k, k}));
    }
    for (auto& call : scribbles) settle(std::move(call));
    for (auto& call : others) settle(std::move(call));
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
}

// Fault hostile.memory (many calls)
TEST_CASE("a worker that scribbles disturbs no other pool") {
  const LeakCheck leaks;
  TestPool good{{.workers = 1}};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    TestPool hostile{{.workers = 1}};
    auto scribble = hostile.run(Scribble{Target::everything, seed});
    for (int k = 0; k < 20; ++k) REQUIRE(value_of(good.run(Add{k, 1})) == k + 1);
    settle(std::move(scribble));
  }
  CHECK(good.stats().crashes == 0);
}

// Fault hostile.crash-note (one call): it says that it has crashed, anywhere, and goes on.
// Then: it is taken at its word, and ended.
TEST_CASE("a worker that pretends to have crashed is ended, and fails its own call only") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Error error = error_of(pool.run(Scribble{Target::crash_note, seed, false}));
    INFO(error.what());
    CHECK(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->status.signal == SIGSEGV);
    CHECK(error.crash()->stack.size() <= 64);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
  CHECK(pool.stats().crashes == 10);
}

// Fault hostile.memory (one call)
TEST_CASE("a lone worker that moves the end of its answers is ended for it") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  const Error error =
      error_of(worker.run(Scribble{.target = Target::answers_end, .seed = 1, .answers = false}));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::protocol_violation);
}

// Fault hostile.memory (many calls)
TEST_CASE("a worker that claims to have read what was never sent is ended for it") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  auto hostile =
      worker.run(Scribble{.target = Target::requests_begin, .seed = 1, .answers = false});
  // The app looks at that word only when it seems to have no room left.
  std::vector<Future<std::string>> calls;
  for (int i = 0; i < 40; ++i) calls.push_back(worker.run(Echo{std::string(50'000, 'x')}));
  const Error error = error_of(std::move(hostile));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::protocol_violation);
  for (auto& call : calls) CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
}

// Fault hostile.memory (one call)
TEST_CASE("a worker that scribbles all the time harms nobody") {
  const LeakCheck leaks;
  const Gate gate;
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    INFO(seed);
    TestPool pool{{.workers = 2, .restart = {.count = 0}}};
    auto hostile = pool.run(KeepScribbling{seed, gate.call("never").until});
    for (int i = 0; i < 20; ++i) settle(pool.run(Add{i, i}));
    settle(std::move(hostile));
  }
}

// Fault hostile.doorbell (one call): it never reads, closes or floods its doorbell, stops itself.
// Then: others are answered; the end of the pool ends it.
TEST_CASE("a worker that closes its doorbell and lives on is ended") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  settle(worker.run(CloseDoorbell{}));
  REQUIRE(wait_until([&] { return worker.crash().has_value(); }));
  settle(worker.run(Add{1, 2}));
}

// Fault hostile.doorbell (many calls)
TEST_CASE("a worker that floods its doorbell keeps no other from answering") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  const Block names = gate.call("flood");
  auto flood = pool.run(FloodDoorbell{names.begun, names.until});
  gate.runner("flood");
  for (int i = 0; i < 500; ++i) REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
  CHECK_FALSE(flood.ready());
  gate.open();
  CHECK(value_of(std::move(flood)) > 0);
}

// Fault hostile.doorbell (many calls)
TEST_CASE("a worker that reads no requests keeps neither callers nor the end waiting") {
  const LeakCheck leaks;
  const Gate gate;
  std::vector<Future<std::string>> calls;
  std::optional<TestWorker> worker(TestWorker::start());
  auto hanging = worker->run(gate.call("one"));
  gate.runner("one");
  for (int i = 0; i < 50; ++i) calls.push_back(worker->run(Echo{std::string(200'000, 'x')}));
  worker.reset();
  CHECK(error_of(std::move(hanging)).code() == errc::shut_down);
  for (auto& call : calls) CHECK(error_of(std::move(call)).code() == errc::shut_down);
}

// Fault hostile.doorbell (many calls)
TEST_CASE("a worker that is stopped while it has a full ring is killed like any other") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const pid_t pid = pid_of(pool);
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  std::vector<Future<std::string>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(pool.run(Echo{std::string(100'000, 'x')}));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  for (auto& call : calls) CHECK(value_of(std::move(call)).size() == 100'000);
}
