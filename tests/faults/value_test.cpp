#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using std::chrono_literals::operator""ms;

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('A' + i % 31);
  return text;
}

// What a string takes besides its characters.
constexpr std::size_t overhead = 8;

}  // namespace

// Fault value.sizes (one call): values have no bytes, or more than a ring holds.
// Then: they come back as they were sent.
TEST_CASE("values of every size come back as they were sent") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  std::vector<std::size_t> sizes{0, 1, 63, 64, 65, 4096, 1 << 20, 8 << 20};
  // Where a message begins to need another part of the ring.
  for (const std::size_t part : {65536u, 131072u, 262144u})
    for (std::size_t size = part - 60; size <= part + 4; ++size) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    INFO(size);
    REQUIRE(value_of(pool.run(Echo{text_of(size)})) == text_of(size));
  }
  CHECK(pool.stats().crashes == 0);
}

// Fault value.sizes (many calls)
TEST_CASE("many large values at once come back as they were sent") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::vector<Future<std::string>> calls;
  for (std::size_t i = 0; i < 40; ++i) calls.push_back(pool.run(Echo{text_of(200'000 + i)}));
  for (std::size_t i = 0; i < 40; ++i) CHECK(value_of(std::move(calls[i])) == text_of(200'000 + i));
}

// Fault value.too-large (one call): a message exceeds `max_message`.
// Then: `message_too_large`, before it is sent; the worker lives on.
TEST_CASE("a request larger than max_message is refused before it is sent") {
  const LeakCheck leaks;
  constexpr std::size_t limit = 100'000;
  TestPool pool{{.workers = 1, .max_message = limit}};
  const pid_t pid = pid_of(pool);
  CHECK(value_of(pool.run(Echo{text_of(limit - overhead)})).size() == limit - overhead);
  const Error error = error_of(pool.run(Echo{text_of(limit - overhead + 1)}));
  INFO(error.what());
  CHECK(error.code() == errc::message_too_large);
  CHECK(mentions(error, "the request Echo has 100001 bytes"));
  CHECK(mentions(error, "100000"));
  CHECK(pid_of(pool) == pid);
}

// Fault value.too-large (one call)
TEST_CASE("a response larger than max_message fails its call, and the worker lives on") {
  const LeakCheck leaks;
  constexpr std::size_t limit = 100'000;
  TestPool pool{{.workers = 1, .max_message = limit}};
  const pid_t pid = pid_of(pool);
  CHECK(value_of(pool.run(Answer{limit - overhead})).size() == limit - overhead);
  for (const std::size_t size : {limit - overhead + 1, std::size_t{5} << 20}) {
    const Error error = error_of(pool.run(Answer{size}));
    INFO(error.what());
    CHECK(error.code() == errc::message_too_large);
    CHECK(mentions(error, "the response to Answer has " + std::to_string(size + overhead)));
  }
  CHECK(pid_of(pool) == pid);
  CHECK(pool.stats().crashes == 0);
}

// Fault value.sizes (one call)
TEST_CASE("answers of nothing and of what can only be moved") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  value_of(pool.run(Nothing{}));
  CHECK(*value_of(pool.run(Double{std::make_unique<int>(21)})) == 42);
  CHECK(value_of(pool.run(Double{})) == nullptr);
}

TEST_CASE("a handler sees the number by which errors name its call") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const auto number = value_of(pool.run(WhoAmI{})).second;
  const Error error = error_of(pool.run(Die{}));
  CHECK(mentions(error, "call " + std::to_string(number + 1)));
  REQUIRE(error.crash());
  CHECK(error.crash()->running.at(0).id == number + 1);
}

// Fault value.futures: a future is dropped, moved from, outlives its pool, or is used by another
// thread.
// Then: its call runs all the same, and it says what it is.
TEST_CASE("a future is waited for, asked, and got once") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  auto future = pool.run(gate.call("one"));
  const pid_t pid = gate.runner("one");
  CHECK(future.valid());
  CHECK_FALSE(future.ready());
  CHECK_FALSE(future.wait_for(0ms));
  CHECK_FALSE(future.wait_for(5ms));
  CHECK_FALSE(future.wait_for(std::chrono::hours(-4'000'000'000'000)));
  CHECK_FALSE(future.wait_for(std::chrono::duration<double>::min()));
  gate.open();
  CHECK(future.wait_for(std::chrono::hours::max()));
  CHECK(future.ready());
  CHECK(future.get() == pid);
  CHECK_FALSE(future.valid());
  CHECK_THROWS_AS(future.get(), std::future_error);
  CHECK_THROWS_AS(future.ready(), std::future_error);
  CHECK_THROWS_AS(future.wait_for(0ms), std::future_error);
  CHECK_THROWS_AS(Future<int>().get(), std::future_error);
}

// Fault value.futures
TEST_CASE("the request of a future that was dropped runs all the same") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1}};
  static_cast<void>(pool.run(gate.call("dropped")));
  gate.runner("dropped");
  gate.open();
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
  CHECK(pool.stats().completed == 2);
}

// Fault value.futures
TEST_CASE("a future outlives its pool") {
  const LeakCheck leaks;
  Future<int> answered, failed;
  {
    TestPool pool{{.workers = 1}};
    answered = pool.run(Add{1, 2});
    CHECK(answered.wait_for(default_watchdog));
    const Gate gate;
    static_cast<void>(pool.run(gate.call("one")));
    gate.runner("one");
    failed = pool.run(Add{3, 4});
  }
  CHECK(answered.get() == 3);
  CHECK(error_of(std::move(failed)).code() == errc::shut_down);
}

// Fault value.futures
TEST_CASE("owners that are empty or moved from say so") {
  const LeakCheck leaks;
  TestWorker none;
  CHECK_FALSE(none.alive());
  CHECK(none.pid() == 0);
  CHECK_FALSE(none.crash());
  CHECK(error_of(none.run(Add{1, 2})).code() == errc::shut_down);
  CHECK(none.shutdown().workers_left == 0);

  TestPool pool{{.workers = 1}};
  TestPool moved = std::move(pool);
  CHECK(error_of(pool.run(Add{1, 2})).code() == errc::shut_down);
  CHECK(pool.stats().workers == 0);
  CHECK(value_of(moved.run(Add{1, 2})) == 3);
  moved = TestPool({.workers = 1});
  CHECK(value_of(moved.run(Add{2, 2})) == 4);
}

// Fault value.futures
TEST_CASE("many threads call at once, and each gets its own answers") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) right += pool.run(Add{1000 * t, i}).get() == 1000 * t + i;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 1200);
}

// Fault host.several-pools
TEST_CASE("several pools live side by side") {
  const LeakCheck leaks;
  TestPool one{{.workers = 1}}, two{{.workers = 1, .launch = Launch::executable(TEST_WORKER)}};
  CHECK(pid_of(one) != pid_of(two));
  CHECK(error_of(one.run(Die{})).code() == errc::worker_crashed);
  CHECK(value_of(two.run(Add{1, 2})) == 3);
  CHECK(two.stats().crashes == 0);
}
