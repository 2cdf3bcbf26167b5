// How long a small call takes when it is the only one, and how many there are a second when many
// are open.
#include <optional>
#include <string>

#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

void set_latency(Figures& figures, const std::string& row, Samples ours, Samples floor) {
  figures.set_beside(row + "_p50_us", ours.p50_us(), floor.p50_us());
  figures.set_beside(row + "_p99_us", ours.p99_us(), floor.p99_us());
}

Samples time_worker(Pinning pinning, unsigned calls) {
  // A worker that starts on the app's only core stays on it; a thread with a single core never
  // spins. So that both spin on two cores, each is moved when it runs.
  std::optional<PinnedTo> pinned;
  if (pinning == Pinning::one_core) pinned.emplace(0);
  auto worker = our_worker();
  if (pinning == Pinning::two_cores) {
    worker.pin_worker_to(1);
    pinned.emplace(0);
  }
  return time_calls(worker, calls);
}

Samples time_pool(unsigned calls) {
  auto pool = our_pool();
  return time_calls(pool, calls);
}

}  // namespace

void measure_calls(Figures& figures, Effort effort) {
  const unsigned calls = effort.times(500'000, 20'000);
  const unsigned on_one_core = effort.times(100'000, 5'000);
  set_latency(figures, "call", time_worker(Pinning::free, calls),
              ring_round_trips(Pinning::free, calls));
  set_latency(figures, "call_two_cores", time_worker(Pinning::two_cores, calls),
              ring_round_trips(Pinning::two_cores, calls));
  set_latency(figures, "call_pool", time_pool(calls), ring_round_trips(Pinning::free, calls));
  Samples one_core = time_worker(Pinning::one_core, on_one_core);
  set_latency(figures, "call_one_core", one_core, ring_round_trips(Pinning::one_core, on_one_core));
  figures.set_beside("call_one_core_to_pipes_p50_us", one_core.p50_us(),
                     pipe_round_trips(on_one_core).p50_us());

  const unsigned many = effort.times(400'000, 40'000), rounds = effort.times(10, 3);
  const double of_rings = ring_throughput(many, open_calls, rounds);
  auto worker = our_worker();
  figures.set_beside("throughput_per_s", throughput(worker, many, rounds), of_rings);
  auto pool = our_pool();
  figures.set_beside("throughput_pool_per_s", throughput(pool, many, rounds), of_rings);
}

}  // namespace bulkhead::bench
