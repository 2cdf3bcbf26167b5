// How soon the caller of a worker that crashes knows, where the worker has much memory: the kernel
// takes long to take that down.
#include <csignal>
#include <string>

#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t resident = 512 * mib;

// Tells when it is about to crash.
struct Fault {
  using Response = void;
  using Progress = Clock::rep;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Faulty : Service<"faulty", Fault> {};

void fault(const Fault&, Context& context) {
  const std::string memory(resident, 'x');
  context.progress(Clock::now().time_since_epoch().count());
  ::raise(memory.back() == 'x' ? SIGSEGV : SIGABRT);  // so that it is not optimized away
}

}  // namespace

void serve_crashes_if_worker() { bulkhead::serve_if_worker<Faulty>(fault); }

void measure_crashes(Figures& figures, Effort effort) {
  const unsigned times = effort.times(40, 5);
  Pool<Faulty> pool{{.workers = 1}};
  Samples ours;
  for (unsigned i = 0; i < times; ++i) {
    Clock::time_point crashed;
    const auto note = [&](Clock::rep when) { crashed = Clock::time_point(Clock::duration(when)); };
    try {
      pool.run(Fault{}, {}, note).get();
    } catch (const Error&) {
      ours.add(Clock::now() - crashed);
    }
  }
  Samples floor = deaths(times, resident);
  figures.set_beside("crash_told_ms", ours.p50_ms(), floor.p50_ms());
  figures.set_beside("crash_told_p99_ms", ours.percentile_us(99) / 1e3,
                     floor.percentile_us(99) / 1e3);
}

}  // namespace bulkhead::bench
