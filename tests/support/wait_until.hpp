// Waits for a condition, under a watchdog that only a broken program ever meets.
#pragma once

#include <chrono>
#include <thread>

namespace bulkhead::test {

constexpr std::chrono::seconds default_watchdog(20);

template <class Condition>
[[nodiscard]] bool wait_until(Condition condition,
                              std::chrono::milliseconds watchdog = default_watchdog) {
  const auto end = std::chrono::steady_clock::now() + watchdog;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace bulkhead::test
