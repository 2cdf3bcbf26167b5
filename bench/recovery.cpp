#include "recovery.hpp"

#include "floor.hpp"
#include "rows.hpp"

namespace bulkhead::bench {

void measure_recovery(Figures& figures, Effort effort) {
  const unsigned times = effort.times(200, 20);
  Pool<Benched> pool{{.workers = 1}};
  Recovery recovery = time_crashes(pool, times);
  figures.set_beside("recover_ms", recovery.answered.p50_ms(), replacements(times).p50_ms());
  figures.set_beside("worker_replaced_ms", recovery.replaced.p50_ms(), forks(times).p50_ms());
}

}  // namespace bulkhead::bench
