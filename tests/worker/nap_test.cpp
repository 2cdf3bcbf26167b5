#include "worker/nap.hpp"

#include <catch2/catch.hpp>
#include <thread>

using bulkhead::worker::Nap;

TEST_CASE("who wakes a sleeping loop has the turn, and nobody else") {
  Nap nap;
  CHECK_FALSE(nap.wake());
  nap.begin();
  CHECK(nap.fall_asleep());
  CHECK(nap.wake());
  CHECK_FALSE(nap.wake());
}

TEST_CASE("a loop that is woken as it falls asleep keeps the turn, and does not sleep") {
  Nap nap;
  nap.begin();
  CHECK_FALSE(nap.wake());
  CHECK_FALSE(nap.wake());
  CHECK_FALSE(nap.fall_asleep());
  CHECK_FALSE(nap.wake());
  nap.begin();
  CHECK(nap.fall_asleep());
}

TEST_CASE("a loop that finds more to do stays awake, whoever wakes it") {
  Nap nap;
  nap.begin();
  CHECK_FALSE(nap.wake());
  nap.stay_awake();
  CHECK_FALSE(nap.wake());
}

TEST_CASE("a loop that is woken at any moment goes on, by one thread at a time") {
  constexpr int naps = 20'000;
  Nap nap;
  int turns = 0;  // of who has the turn: a race, were there two
  std::atomic<int> seen = 0;
  const auto take_turn = [&] { seen = ++turns; };
  std::thread waker([&] {
    while (seen < naps)
      if (nap.wake()) take_turn();
  });
  // The waker gives the turn back by having taken it.
  while (seen < naps) {
    const int before = seen;
    nap.begin();
    if (!nap.fall_asleep()) {
      take_turn();
      continue;
    }
    while (seen == before) std::this_thread::yield();
  }
  waker.join();
  CHECK(turns >= naps);
}
