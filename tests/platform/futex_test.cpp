#include <pthread.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "platform/futex.hpp"

#include "support/wait_until.hpp"

namespace {

using namespace std::chrono_literals;
using bulkhead::platform::futex_wait;
using bulkhead::platform::futex_wake_all;
using bulkhead::test::wait_until;
using Clock = std::chrono::steady_clock;

}  // namespace

TEST_CASE("A word that differs already is not waited for") {
  const std::atomic<std::uint32_t> word = 1;
  CHECK(futex_wait(word, 0, {}));
}

TEST_CASE("A wait for a word ends at its deadline, also when that is past") {
  const std::atomic<std::uint32_t> word = 0;
  const auto deadline = Clock::now() + 2ms;
  CHECK_FALSE(futex_wait(word, 0, deadline));
  CHECK(Clock::now() >= deadline);
  CHECK_FALSE(futex_wait(word, 0, Clock::now() - 1h));
  CHECK_FALSE(futex_wait(word, 0, Clock::time_point(-5s)));
}

TEST_CASE("All who wait for a word are woken") {
  std::atomic<std::uint32_t> word = 0;
  std::atomic<int> woken = 0;
  const auto wait = [&] {
    while (word == 0)
      if (!futex_wait(word, 0, Clock::now() + 30s)) return;
    ++woken;
  };
  std::thread one(wait), other(wait);
  word = 1;
  futex_wake_all(word);
  one.join();
  other.join();
  CHECK(woken == 2);
}

TEST_CASE("Signals do not end a wait for a word, nor make it longer") {
  struct sigaction action {
  }, old{};
  static std::atomic<int> signals;
  signals = 0;
  action.sa_handler = [](int) { ++signals; };
  REQUIRE(::sigaction(SIGUSR1, &action, &old) == 0);
  const std::atomic<std::uint32_t> word = 0;
  std::atomic<bool> over = false;
  bool woken = true;
  std::thread waiter([&] {
    woken = futex_wait(word, 0, Clock::now() + 50ms);
    over = true;
  });
  CHECK(wait_until([&] {
    ::pthread_kill(waiter.native_handle(), SIGUSR1);
    return over.load();
  }));
  waiter.join();
  ::sigaction(SIGUSR1, &old, nullptr);
  CHECK_FALSE(woken);
  CHECK(signals > 0);
}
