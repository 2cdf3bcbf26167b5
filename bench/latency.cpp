// How long one call takes when it is the only one.
#include <optional>
#include <string>

#include "floor.hpp"
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

constexpr unsigned warm_up_calls = 1000;

// As for the floor, one reading of the clock per call is included.
template <class Callee>
Samples time_calls(benchmark::State& state, Callee& callee) {
  for (unsigned i = 0; i < warm_up_calls; ++i) callee.run(Echo{}).get();
  Samples samples;
  auto last = Clock::now();
  for (auto _ : state) {
    callee.run(Echo{}).get();
    const auto now = Clock::now();
    samples.add(now - last);
    state.SetIterationTime(std::chrono::duration<double>(now - last).count());
    last = now;
  }
  return samples;
}

struct Case {
  std::string name;
  Pinning pinning;
  unsigned calls;
};

void compare(benchmark::State& state, Session& session, const Case& c, Samples& samples) {
  const Latency ring = bare_ring_round_trip(c.pinning, c.calls);
  const std::string what = "call, " + c.name + ", ", floor_is = "bare rings there and back, ";
  const double p50 = samples.median(), p99 = samples.percentile(99);
  session.table.add(state, "p50_ns", {what + "p50", p50, ring.p50_ns, "ns", floor_is + "p50"});
  session.table.add(state, "p99_ns", {what + "p99", p99, ring.p99_ns, "ns", floor_is + "p99"});
  if (c.pinning != Pinning::one_core) return;
  const Latency pipe = pipe_round_trip(c.pinning, c.calls);
  session.table.add(
      state, "pipes_ns",
      {what + "p50, to pipes", p50, pipe.p50_ns, "ns", "a byte through pipes and back, p50"});
}

void call_worker(benchmark::State& state, Session& session, const Case& c) {
  Samples samples;
  {
    // A worker that starts on the app's only core stays on it; a thread with a single core never
    // spins. So that both spin on two cores, each is moved when it runs.
    std::optional<PinnedTo> pinned;
    if (c.pinning == Pinning::one_core) pinned.emplace(0);
    auto worker = Worker<Benched>::start();
    if (c.pinning == Pinning::two_cores) {
      worker.run(Pin{1}).get();
      pinned.emplace(0);
    }
    samples = time_calls(state, worker);
  }
  compare(state, session, c, samples);
}

void call_pool(benchmark::State& state, Session& session, const Case& c) {
  Samples samples;
  {
    Pool<Benched> pool;
    samples = time_calls(state, pool);
  }
  compare(state, session, c, samples);
}

template <class Measure>
void add(Session& session, const char* name, Measure measure, const Case& c) {
  benchmark::RegisterBenchmark(
      name, [&session, measure, c](benchmark::State& state) { measure(state, session, c); })
      ->Iterations(c.calls)
      ->UseManualTime();
}

}  // namespace

void register_latency(Session& session) {
  const unsigned calls = session.times(500'000, 20'000);
  const unsigned calls_on_one_core = session.times(100'000, 5'000);
  add(session, "call/free", call_worker, {"free", Pinning::free, calls});
  add(session, "call/one_core", call_worker, {"one core", Pinning::one_core, calls_on_one_core});
  add(session, "call/two_cores", call_worker, {"two cores", Pinning::two_cores, calls});
  add(session, "call/pool", call_pool, {"of a pool", Pinning::free, calls});
}

}  // namespace bulkhead::bench
