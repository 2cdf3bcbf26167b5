// Pools whose size follows what there is to do.
#include <catch2/catch.hpp>
#include <set>

#include "faults/calls.hpp"
#include "faults/reloads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

bool has_workers(const TestPool& pool, std::size_t count) {
  return wait_until([&] { return pool.stats().workers == count; });
}

// As many calls as that, which run until the gate opens, and the processes that run them.
struct Held {
  Held(TestPool& pool, int count) {
    for (int i = 0; i < count; ++i) calls.push_back(pool.run(gate.call(std::to_string(i))));
  }
  std::set<pid_t> runners() const {
    std::set<pid_t> pids;
    for (std::size_t i = 0; i < calls.size(); ++i) pids.insert(gate.runner(std::to_string(i)));
    return pids;
  }
  void settle() {
    gate.open();
    for (auto& call : calls) value_of(std::move(call));
    calls.clear();
  }

  Gate gate;
  std::vector<Future<pid_t>> calls;
};

}  // namespace

// Fault size.grow (many calls): more calls come than there are workers for.
// Then: workers are started until there are as many as there may be; no call waits for another.
TEST_CASE("a pool grows by the calls that wait") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 4, .min_workers = 1}};
  CHECK(pool.stats().workers == 1);
  Held three(pool, 3);
  CHECK(three.runners().size() == 3);
  CHECK(has_workers(pool, 3));
  Held more(pool, 3);
  CHECK(has_workers(pool, 4));
  CHECK(pool.stats().queued == 2);
  three.settle();
  CHECK(more.runners().size() >= 1);
  more.settle();
  CHECK(pool.stats().workers == 4);
  CHECK(pool.stats().failed == 0);
}

// Fault size.shrink (idle): workers have nothing to do for longer than `idle_timeout`.
// Then: they leave, down to `min_workers`; what comes next makes the pool grow again.
TEST_CASE("a pool shrinks when there is nothing to do, and grows again") {
  const LeakCheck leaks;
  const std::size_t spares = GENERATE(0u, 1u);
  TestPool pool{{.workers = 4, .min_workers = 1, .spares = spares, .idle_timeout = 20ms}};
  for (int round = 0; round < 3; ++round) {
    Held held(pool, 4);
    CHECK(held.runners().size() == 4);
    held.settle();
    CHECK(has_workers(pool, 1));
    CHECK(wait_until([&] { return pool.stats().each.size() == 1 + spares; }));
  }
  CHECK(pool.stats().crashes == 0);
  CHECK(pool.stats().ends.at(Cause::shut_down) == 9);
}

// Fault size.shrink (one call)
TEST_CASE("a worker that is busy for long is not taken for idle") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3, .min_workers = 1, .idle_timeout = 1ms}};
  Held held(pool, 3);
  const auto runners = held.runners();
  Held long_one(pool, 0);
  CHECK(runners.size() == 3);
  CHECK(pool.stats().workers == 3);
  held.settle();
  CHECK(has_workers(pool, 1));
  CHECK(pool.stats().failed == 0);
}

// Fault size.lazy (idle): nobody calls.
// Then: no worker is started; a program that is none of the kind is told at once all the same.
TEST_CASE("a lazy pool starts no worker before a call needs it") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .lazy = true, .idle_timeout = 1ms}};
  CHECK(pool.stats().workers == 0);
  CHECK(pool.stats().each.empty());
  for (int round = 0; round < 3; ++round) {
    CHECK(value_of(pool.run(Add{1, round})) == 1 + round);
    CHECK(has_workers(pool, 0));
  }
  CHECK(value_of(pool.run(Add{1, 2}, {.timeout = 1min})) == 3);
  CHECK(pool.shutdown().calls_failed == 0);
}

// Fault size.lazy (idle)
TEST_CASE("a lazy pool of a wrong program does not start") {
  const LeakCheck leaks;
  const Error missing = start_error_of(
      [] { return TestPool{{.launch = Launch::executable("/no/such/program"), .lazy = true}}; });
  CHECK(missing.code() == errc::start_failed);
  const Error wrong = start_error_of([] {
    return Pool<NewerTestService>{{.launch = Launch::executable(TEST_WORKER), .lazy = true}};
  });
  CHECK(wrong.code() == errc::contract_mismatch);
}

// Fault size.lazy-crash (one call): the workers that a call needs die as they start.
// Then: the call fails with the reason, and the pool tries again later.
TEST_CASE("a call to a lazy pool whose workers do not start fails with the reason") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2,
                 .launch = Launch::self().env("TEST_WARM_UP", "die"),
                 .lazy = true,
                 .restart = {.count = 1}}};
  const Error error = error_of(pool.run(Add{1, 1}));
  INFO(error.what());
  CHECK(error.code() == errc::restart_limit);
  REQUIRE(error.crash());
}

// Fault size.grow (many calls)
TEST_CASE("workers that crash while a pool grows and shrinks cost no other call") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 4, .min_workers = 1, .queue_limit = 10'000, .idle_timeout = 1ms}};
  for (int round = 0; round < 20; ++round) {
    std::vector<Future<int>> calls;
    for (int i = 0; i < 100; ++i) {
      calls.push_back(pool.run(Add{i, round}));
      if (i % 50 == 49) static_cast<void>(pool.run(Die{}));
    }
    for (int i = 0; i < 100; ++i)
      REQUIRE(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + round);
  }
  CHECK(wait_until([&] { return pool.stats().crashes == 40; }));
  CHECK(has_workers(pool, 1));
  CHECK(wait_until([&] { return pool.stats().each.size() == 1; }));
}

// Fault size.reload (many calls): a reload runs while the pool grows or shrinks.
// Then: it ends, and the pool is as large as it is to be.
TEST_CASE("a pool that grows and shrinks can be reloaded") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 4, .min_workers = 1, .idle_timeout = 1ms}};
  for (int round = 0; round < 5; ++round) {
    Held held(pool, 4);
    held.runners();
    std::thread reloader([&] { pool.reload(); });
    held.settle();
    reloader.join();
  }
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
  CHECK(has_workers(pool, 1));
  CHECK(pool.stats().failed == 0);
}
