// What a large buffer costs that both sides read in place.
#include "floor.hpp"
#include "rows.hpp"
#include "service.hpp"

namespace bulkhead::bench {

void measure_bytes(Figures& figures, Effort effort) {
  const unsigned times = effort.times(10'000, 500);
  auto worker = Worker<Benched>::start();
  const auto call = [&] { worker.run(EchoBytes{worker.make_bytes(64 * mib)}).get(); };
  time_each(times / 10, call);
  figures.set_beside("bytes_64mib_p50_us", time_each(times, call).p50_us(),
                     ring_round_trips(Pinning::two_cores, times).p50_us());
}

}  // namespace bulkhead::bench
