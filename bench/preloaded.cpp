// What a worker takes that is forked from much memory.
#include <cstdlib>
#include <string>

#include "floor.hpp"
#include "recovery.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

// The median of so many bare forks of a worker: they are of the same image as the worker itself.
struct Fork {
  using Response = double;
  unsigned times = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(times);
  }
};

struct Preloaded : Service<"preloaded", Echo, Crash, Fork> {};

std::string& loaded() {
  static std::string memory;
  return memory;
}

}  // namespace

void serve_preloaded_if_worker() {
  bulkhead::serve_if_worker<Preloaded>(
      {.preload = [] { loaded().assign(500 * mib, 'x'); }},
      [](const Echo& request) { return request.payload; }, [](const Crash&) { std::_Exit(3); },
      [](const Fork& fork) { return forks(fork.times).p50_ms(); });
}

void measure_preloaded(Figures& figures, Effort effort) {
  const unsigned times = effort.times(100, 5);
  Pool<Preloaded> pool{{.workers = 1}};
  const double ours = time_crashes(pool, times).replaced.p50_ms();
  figures.set_beside("worker_preloaded_ready_ms", ours, pool.run(Fork{times}).get());
}

}  // namespace bulkhead::bench
