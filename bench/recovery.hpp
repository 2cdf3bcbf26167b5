// A crash, and how long it takes until calls are answered again.
#pragma once

#include <chrono>
#include <thread>

#include "ours.hpp"
#include "samples.hpp"

namespace bulkhead::bench {

struct Recovery {
  Samples answered;  // from the request that ends its worker to the next answer
  Samples replaced;  // of that, from the failure on: that is when a new worker is ordered
};

// Each crash after a `pause`.
template <class S>
Recovery time_crashes(Pool<S>& pool, unsigned times, std::chrono::milliseconds pause = {}) {
  Recovery recovery;
  for (unsigned i = 0; i < times; ++i) {
    std::this_thread::sleep_for(pause);
    const auto start = Clock::now();
    try {
      pool.run(Crash{}).get();
    } catch (const Error&) {
    }
    const auto failed = Clock::now();
    pool.run(Echo{}).get();
    const auto end = Clock::now();
    recovery.answered.add(end - start);
    recovery.replaced.add(end - failed);
  }
  return recovery;
}

}  // namespace bulkhead::bench
