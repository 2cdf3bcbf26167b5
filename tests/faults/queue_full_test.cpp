// A full queue: whoever calls waits for room, if it is to.
#include <catch2/catch.hpp>
#include <thread>

#include "faults/calling_thread.hpp"
#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

PoolOptions waiting_pool(std::size_t limit, std::chrono::milliseconds wait = 1h) {
  return {.workers = 1, .queue_limit = limit, .on_full = OnFull::wait, .queue_wait = wait};
}

}  // namespace

// Fault queue.full (many calls): the queue is full, and run() is to wait.
// Then: it waits without a processor until there is room, in order; at most `queue_wait`, its own
// `timeout`, until it is called off, or the pool is shut down.
TEST_CASE("a thread that finds the queue full waits until there is room") {
  const LeakCheck leaks;
  const std::size_t limit = GENERATE(0u, 1u);
  const Gate gate;
  TestPool pool{waiting_pool(limit)};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<int>> waiting;
  for (std::size_t i = 0; i < limit; ++i) waiting.push_back(pool.run(Add{1, 1}));
  CallingThread first(pool, Add{1, 2});
  CallingThread second(pool, Add{2, 2});
  CHECK(pool.stats().queued == limit);
  CHECK_FALSE(first.returned());
  gate.open();
  CHECK(value_of(first.take()) == 3);
  CHECK(value_of(second.take()) == 4);
  value_of(std::move(running));
  CHECK(pool.stats().failed == 0);
}

// Fault queue.full (many calls)
TEST_CASE("many threads that find the queue full are all let in") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool =
      pool_of<TestService>(kind, {.workers = 2, .queue_limit = 2, .on_full = OnFull::wait});
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 200; ++i) calls.push_back(pool.run(Add{i, 1}));
      for (int i = 0; i < 200; ++i)
        right += value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 1600);
  CHECK(pool.stats().completed == 1600);
}

// Fault queue.full (many calls)
TEST_CASE("a thread that waits for room gives up after queue_wait, its timeout, or a stop") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0, 50ms)};
  TestPool patient{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  auto also_running = patient.run(gate.call("two"));
  gate.runner("one");
  gate.runner("two");

  const Error full = error_of(pool.run(Add{1, 1}));
  INFO(full.what());
  CHECK(full.code() == errc::queue_full);
  CHECK(mentions(full, "no room within 50 ms (queue_wait)"));
  CHECK(error_of(patient.run(Add{1, 1}, {.timeout = 20ms})).code() == errc::deadline_exceeded);
  std::stop_source stop;
  CallingThread stopped(patient, Add{1, 1}, {.stop = stop.get_token()});
  CHECK_FALSE(stopped.returned());
  stop.request_stop();
  CHECK(error_of(stopped.take()).code() == errc::cancelled);
  gate.open();
  value_of(std::move(running));
  value_of(std::move(also_running));
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
  CHECK(value_of(patient.run(Add{1, 1})) == 2);
  CHECK(patient.stats().failed == 2);
}

// Fault queue.full (many calls)
TEST_CASE("a shutdown turns away the threads that wait for room") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  CallingThread first(pool, Add{1, 1});
  CallingThread second(pool, Add{1, 1});
  std::thread shutting([&] { pool.shutdown(); });
  CHECK(error_of(first.take()).code() == errc::shut_down);
  CHECK(error_of(second.take()).code() == errc::shut_down);
  gate.open();
  shutting.join();
  CHECK(value_of(std::move(running)) > 0);
}

// Fault queue.full (many calls)
TEST_CASE("a crash makes room for a thread that waits") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  const pid_t victim = gate.runner("one");
  CallingThread waits(pool, Add{1, 1});
  ::kill(victim, SIGKILL);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  CHECK(value_of(waits.take()) == 2);
}
