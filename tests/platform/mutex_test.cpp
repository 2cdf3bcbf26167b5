#include "platform/mutex.hpp"

#include <catch2/catch.hpp>
#include <mutex>
#include <thread>
#include <vector>

using bulkhead::platform::Mutex;

TEST_CASE(
    "Many threads that want the same mutex have it one after the other, and none waits for ever") {
  constexpr int threads = 8, rounds = 20'000;
  Mutex mutex;
  long long counted = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i)
      all.emplace_back([&] {
        for (int round = 0; round < rounds; ++round) {
          const std::lock_guard lock(mutex);
          ++counted;
          if (round % 64 == 0) std::this_thread::yield();  // so that others find it held
        }
      });
  }
  CHECK(counted == threads * rounds);
}
