// Spinning for something that the peer is about to do, as long as SpinPolicy finds it worth it.
// Each side publishes the core that it was last seen on. For one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "ipc/spin.hpp"
#include "platform/cpu.hpp"

namespace bulkhead::ipc {

// As hints say it: 0 is for a side that was not seen yet.
inline std::uint32_t core_word() { return platform::current_core() + 1; }

class Spinner {
 public:
  using Core = std::atomic<std::uint32_t>;
  Spinner(Core& mine, const Core& peers) : mine_(mine), peers_(peers) {}

  // Looks without a pause; at the clock, and where the peer is, only now and then.
  template <class There>
  bool spin(SpinPolicy::Time limit, There there) {
    constexpr int looks_at_once = 16;
    if (there()) return true;
    const std::uint32_t core = core_word();
    publish(mine_, core);
    const auto start = Clock::now();
    if (!since_) since_ = start;
    const auto budget = policy_.budget(peers_.load(std::memory_order_relaxed) == core, limit);
    for (auto now = start; now - start < budget; now = Clock::now()) {
      for (int look = 0; look < looks_at_once; ++look, platform::cpu_relax()) {
        if (!there()) continue;
        policy_.waited(now - *since_);
        since_.reset();
        return true;
      }
      if (peers_.load(std::memory_order_relaxed) == core) break;  // it came here: let it run
    }
    return false;
  }
  // What was waited for is there, if anything was.
  void over() {
    if (since_) policy_.waited(Clock::now() - *since_);
    since_.reset();
  }

  // Stored only when it changed: the peer then has the line in its cache.
  static void publish(Core& mine, std::uint32_t core) {
    if (mine.load(std::memory_order_relaxed) != core) mine.store(core, std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;

  Core& mine_;
  const Core& peers_;
  SpinPolicy policy_;
  std::optional<Clock::time_point> since_;  // when the wait began that goes on
};

}  // namespace bulkhead::ipc
