#include "floor.hpp"
#include "recovery.hpp"
#include "rows.hpp"

namespace bulkhead::bench {

void measure_spare(Figures& figures, Effort effort) {
  // Until the next spare is ready; nothing tells.
  constexpr std::chrono::milliseconds pause{50};
  const unsigned times = effort.times(50, 5);
  Pool<Benched> pool{{.workers = 1, .spares = 1}};
  figures.set_beside("recover_spare_ms", time_crashes(pool, times, pause).answered.p50_ms(),
                     deaths(times).p50_ms());
}

}  // namespace bulkhead::bench
