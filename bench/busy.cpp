// A call on one core that others want too.
#include <array>
#include <csignal>

#include "floor.hpp"
#include "machine.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

// Is busy until the end of the block, where it was started.
class BusyProcess {
 public:
  ~BusyProcess() { ::kill(child_.pid(), SIGKILL); }

 private:
  const ForkedChild child_{[] {
    for (;;) asm volatile("");
  }};
};

}  // namespace

void measure_busy(Figures& figures, Effort effort) {
  const unsigned calls = effort.times(20'000, 1000);
  const PinnedTo pinned(0);
  const std::array<BusyProcess, 2> busy;
  auto worker = our_worker();
  Samples ours = time_calls(worker, calls), floor = pipe_round_trips(calls);
  figures.set_beside("call_busy_core_p50_us", ours.p50_us(), floor.p50_us());
  figures.set_beside("call_busy_core_p99_us", ours.p99_us(), floor.p99_us());
}

}  // namespace bulkhead::bench
