// How long it takes until a worker answers, until a pool is ready, and what each further worker
// takes.
#include <cstddef>
#include <memory>

#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

Clock::duration time_pool_of(std::size_t workers) {
  const auto start = Clock::now();
  const Pool<Benched> pool{{.workers = workers}};
  return Clock::now() - start;
}

}  // namespace

void measure_starts(Figures& figures, Effort effort) {
  const unsigned times = effort.times(40, 5);
  const auto start = [] { return std::make_unique<Ours<Worker<Benched>>>(our_worker()); };
  figures.set_beside("worker_ready_ms", time_starts(start, times).p50_ms(), execs(times).p50_ms());

  // In turn, so that a busy moment meets both.
  constexpr std::size_t more = 8;
  Samples of_one, of_more;
  for (unsigned i = 0; i < times; ++i) {
    of_one.add(time_pool_of(1));
    of_more.add(time_pool_of(1 + more));
  }
  figures.set_beside("pool_of_1_ready_ms", of_one.p50_ms(), execs(times).p50_ms());
  figures.set_beside("further_worker_ms", (of_more.p50_ms() - of_one.p50_ms()) / more,
                     forks(times).p50_ms());
}

}  // namespace bulkhead::bench
