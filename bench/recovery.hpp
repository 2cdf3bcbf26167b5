// A crash, and how long it takes until calls are answered again.
#pragma once

#include "ours.hpp"
#include "samples.hpp"

namespace bulkhead::bench {

struct Recovery {
  Samples answered;  // from the request that ends its worker to the next answer
  Samples replaced;  // of that, from the failure on: that is when a new worker is ordered
};

inline Recovery time_crashes(Pool<Benched>& pool, unsigned times) {
  Recovery recovery;
  for (unsigned i = 0; i < times; ++i) {
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
