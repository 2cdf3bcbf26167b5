// How calls a second change with the number of workers, and with that of open calls.
#include <algorithm>

#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t queue_limit = 1'000'000;

// Makes calls for about so long.
double throughput_for(Subject& subject, unsigned open, std::chrono::milliseconds time) {
  const unsigned at_once = std::max(10'000u, 4 * open);
  unsigned calls = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < time) {
    subject.call_many(at_once, open);
    calls += at_once;
  }
  return calls / std::chrono::duration<double>(Clock::now() - start).count();
}

double best_throughput(Subject& subject, unsigned open, Effort effort) {
  const std::chrono::milliseconds time{effort.times(100, 5)};
  double best = 0;
  for (unsigned i = 0; i <= effort.times(5, 1); ++i)
    best = std::max(best, throughput_for(subject, open, time));
  return best;
}

}  // namespace

void measure_curves(Figures& figures, Effort effort) {
  Curve by_workers, by_open;
  for (const unsigned workers : {1u, 2u, 4u, 8u, 16u, 64u, 256u}) {
    auto pool = our_pool({.workers = workers, .queue_limit = queue_limit});
    by_workers.emplace_back(workers, best_throughput(pool, open_calls, effort));
  }
  Ours worker(Worker<Benched>::start({.queue_limit = queue_limit}));
  for (const unsigned open : {1u, 4u, 16u, 64u, 256u, 1000u, 10'000u, 100'000u})
    by_open.emplace_back(open, best_throughput(worker, open, effort));
  figures.set("ours", "curve_workers", by_workers);
  figures.set("ours", "curve_in_flight", by_open);
}

}  // namespace bulkhead::bench
