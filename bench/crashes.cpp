// How soon a caller knows that its worker has died: by a signal from outside, or by a crash where
// the worker has much memory, which the kernel takes long to take down.
#include <unistd.h>

#include <csignal>
#include <string>

#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t resident = 512 * mib;

// Tells its process, and waits to be killed.
struct Victim {
  using Response = void;
  using Progress = pid_t;
  template <class Archive>
  void serialize(Archive&) {}
};

// Tells when it is about to crash.
struct Fault {
  using Response = void;
  using Progress = Clock::rep;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Mortal : Service<"mortal", Victim, Fault> {};

void wait_for_end(const Victim&, Context& context) {
  context.progress(::getpid());
  for (;;) ::pause();
}

void fault(const Fault&, Context& context) {
  const std::string memory(resident, 'x');
  context.progress(Clock::now().time_since_epoch().count());
  ::raise(memory.back() == 'x' ? SIGSEGV : SIGABRT);  // so that it is not optimized away
}

// `note` gets what the call tells, and gives when its end began.
template <class Request, class Note>
Samples time_ends(Pool<Mortal>& pool, unsigned times, Note note) {
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    Clock::time_point began;
    try {
      pool.run(Request{}, {}, [&](typename Request::Progress told) { began = note(told); }).get();
    } catch (const Error&) {
      samples.add(Clock::now() - began);
    }
  }
  return samples;
}

void set_both(Figures& figures, const std::string& row, Samples ours, Samples floor) {
  figures.set_beside(row + "_ms", ours.p50_ms(), floor.p50_ms());
  figures.set_beside(row + "_p99_ms", ours.percentile_us(99) / 1e3, floor.percentile_us(99) / 1e3);
}

}  // namespace

void serve_crashes_if_worker() { bulkhead::serve_if_worker<Mortal>(wait_for_end, fault); }

void measure_crashes(Figures& figures, Effort effort) {
  Pool<Mortal> pool{{.workers = 1}};
  const auto kill = [](pid_t pid) {
    const auto now = Clock::now();
    ::kill(pid, SIGKILL);
    return now;
  };
  const unsigned kills = effort.times(500, 20);
  set_both(figures, "kill_told", time_ends<Victim>(pool, kills, kill), deaths(kills));
  const auto when = [](Clock::rep told) { return Clock::time_point(Clock::duration(told)); };
  const unsigned crashes = effort.times(40, 5);
  set_both(figures, "crash_told", time_ends<Fault>(pool, crashes, when), deaths(crashes, resident));
}

}  // namespace bulkhead::bench
