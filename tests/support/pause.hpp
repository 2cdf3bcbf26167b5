// A pause that ends with what it is part of.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace bulkhead::test {

// Waits until a stop is requested, at most so long.
inline void pause(const std::stop_token& stop, std::chrono::microseconds at_most) {
  std::mutex mutex;
  std::condition_variable_any nobody;
  std::unique_lock lock(mutex);
  nobody.wait_for(lock, stop, at_most, [] { return false; });
}

}  // namespace bulkhead::test
