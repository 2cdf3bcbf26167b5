// Threads that wait for answers: they receive for themselves, asleep or not.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "faults/calls.hpp"
#include "faults/reloads.hpp"
#include "faults/service/handlers.hpp"
#include "platform/unsanitized.hpp"
#include "support/blocked.hpp"
#include "support/leak_check.hpp"

#if !BULKHEAD_SANITIZED

namespace {

thread_local std::size_t allocations = 0;

// Not inlined: a compiler that sees both takes them for a mismatched pair.
[[gnu::noinline]] void* allocate(std::size_t size) {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void release(void* memory) { std::free(memory); }

}  // namespace

void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }

#endif

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

// Waits in get(), and says when it sleeps there.
template <class T>
class Waiter {
 public:
  explicit Waiter(Future<T> call)
      : thread_([this, call = std::move(call)]() mutable {
          thread_id_ = ::gettid();
          try {
            value_ = call.get();
          } catch (const Error& error) {
            code_ = errc{error.code().value()};
          }
          done_ = true;
        }) {}
  bool sleeps() const { return thread_id_ != 0 && system_call_of(::getpid(), thread_id_); }
  bool done() const { return done_; }
  T value() {
    thread_.join();
    return value_;
  }
  errc code() {
    thread_.join();
    return code_;
  }

 private:
  std::atomic<pid_t> thread_id_ = 0;
  std::atomic<bool> done_ = false;
  T value_ = {};
  errc code_ = {};
  std::thread thread_;
};

}  // namespace

// Each of two calls waits behind another, at a worker of its own. One worker becomes free, and runs
// both; the other hangs on.
TEST_CASE("a thread that sleeps until its worker answers is told when its call goes elsewhere") {
  const LeakCheck leaks;
  const Gate one, two;
  TestPool pool{{.workers = 2}};
  auto first = pool.run(one.call("1"));
  one.runner("1");
  auto second = pool.run(two.call("2"));
  two.runner("2");
  Waiter<int> left(pool.run(Add{1, 2})), right(pool.run(Add{3, 4}));
  REQUIRE(wait_until([&] { return left.sleeps() && right.sleeps(); }));
  one.open();
  CHECK(wait_until([&] { return left.done() && right.done(); }));
  CHECK_FALSE(second.ready());
  two.open();
  CHECK(left.value() == 3);
  CHECK(right.value() == 7);
  value_of(std::move(first));
  value_of(std::move(second));
}

TEST_CASE("a thread that sleeps until its worker answers is told of the worker's end") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  Waiter<pid_t> waiter(pool.run(gate.call("1")));
  const pid_t worker = gate.runner("1");
  REQUIRE(wait_until([&] { return waiter.sleeps(); }));
  REQUIRE(::kill(worker, SIGKILL) == 0);
  CHECK(waiter.code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

TEST_CASE("a thread that sleeps until its worker answers is told when the pool is shut down") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  Waiter<pid_t> waiter(pool.run(gate.call("1")));
  gate.runner("1");
  REQUIRE(wait_until([&] { return waiter.sleeps(); }));
  CHECK(pool.shutdown(0ms).calls_failed == 1);
  CHECK(waiter.code() == errc::shut_down);
}

TEST_CASE("several threads that wait for one worker each get their own answer") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  auto running = pool.run(gate.call("1"));
  gate.runner("1");
  std::vector<std::unique_ptr<Waiter<int>>> waiters;
  for (int i = 0; i < 8; ++i) waiters.push_back(std::make_unique<Waiter<int>>(pool.run(Add{i, 1})));
  REQUIRE(wait_until([&] {
    return std::all_of(waiters.begin(), waiters.end(), [](auto& each) { return each->sleeps(); });
  }));
  gate.open();
  for (int i = 0; i < 8; ++i) CHECK(waiters[static_cast<std::size_t>(i)]->value() == i + 1);
  value_of(std::move(running));
}

TEST_CASE("answers come though the thread that took the first of them has gone") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  for (int round = 0; round < 20; ++round) {
    std::vector<Future<int>> calls;
    for (int i = 0; i < 200; ++i) calls.push_back(pool.run(Add{i, round}));
    std::thread([&] { CHECK(calls.front().get() == round); }).join();
    // Nobody waits for these: ready() only looks.
    CHECK(wait_until([&] {
      return std::all_of(calls.begin() + 1, calls.end(), [](auto& call) { return call.ready(); });
    }));
    for (int i = 1; i < 200; ++i) CHECK(calls[static_cast<std::size_t>(i)].get() == i + round);
  }
}

// Short calls that flow are crowded onto few workers; one that is long must not hold them up.
TEST_CASE("a long call among many short ones keeps none of them from being answered") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 4, .queue_limit = 100'000}};
  std::vector<Future<pid_t>> longer;
  for (int round = 0; round < 3; ++round) {
    std::vector<Future<int>> calls;
    for (int i = 0; i < 5000; ++i) {
      calls.push_back(pool.run(Add{i, 1}));
      if (i == 3000) longer.push_back(pool.run(gate.call(std::to_string(round))));
    }
    for (int i = 0; i < 5000; ++i)
      REQUIRE(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1);
    CHECK_FALSE(longer.back().ready());
  }
  gate.open();
  for (auto& call : longer) CHECK(value_of(std::move(call)) > 0);
}

#if !BULKHEAD_SANITIZED

TEST_CASE("calls that flow take no memory from the app's heap") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  constexpr std::size_t open = 100;
  std::vector<Future<int>> calls(open);
  const auto make = [&](int rounds) {
    for (int i = 0; i < rounds; ++i)
      for (auto& call : calls) {
        if (call.valid()) static_cast<void>(call.get());
        call = pool.run(Add{i, 1});
      }
  };
  make(20);
  const std::size_t before = allocations;
  make(100);
  CHECK(allocations - before < 1000);  // of 10 000 calls: only what wakes the reactor takes some
  for (auto& call : calls) call.get();
}

#endif
