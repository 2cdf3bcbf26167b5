// How soon a pool recovers that keeps a spare, what a worker costs that is forked from much memory,
// and what one takes that has nothing to do.
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "floor.hpp"
#include "platform/proc.hpp"
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

constexpr double microsecond = 1000;  // in nanoseconds

struct Fork {  // as often; the median
  using Response = double;
  unsigned times = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(times);
  }
};

// Its fork server has loaded much.
struct Laden : Service<"laden", Crash, Fork> {};

std::vector<char>& load() {
  static std::vector<char> loaded;
  return loaded;
}

struct Recovery {
  Samples answered;  // from the crash to the answer of the next call
  Samples replaced;  // from when the crash is known to that
};

// Between two crashes there is a moment in which a pool puts itself in order.
template <class S, class Next>
Recovery recover(benchmark::State& state, Pool<S>& pool, const Next& next) {
  Recovery recovery;
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto start = Clock::now();
    try {
      pool.run(Crash{}).get();
    } catch (const Error&) {
    }
    const auto failed = Clock::now();
    pool.run(next).get();
    const auto end = Clock::now();
    recovery.answered.add(end - start);
    recovery.replaced.add(end - failed);
    state.SetIterationTime(std::chrono::duration<double>(end - start).count());
  }
  return recovery;
}

void crash_with_spares(benchmark::State& state, Session& session, std::size_t spares) {
  Pool<Benched> pool{{.workers = 1, .spares = spares}};
  Recovery recovery = recover(state, pool, Echo{});
  const std::string with = spares > 0 ? "with a spare" : "after a rest";
  session.table.add(
      state, "answered_us",
      {"crash to next answer, " + with, recovery.answered.median() / microsecond, 0, "us", ""});
}

void crash_of_laden(benchmark::State& state, Session& session) {
  Pool<Laden> pool{{.workers = 1}};
  Recovery recovery = recover(state, pool, Fork{0});
  const double floor = pool.run(Fork{session.times(40, 5)}).get();
  session.table.add(
      state, "replaced_us",
      {"a worker forked from 500 MiB, ready and called", recovery.replaced.median() / microsecond,
       floor, "us", "a bare fork of the same image"});
}

double private_kib(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  double sum = 0;
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words(line);
    std::string name;
    double amount = 0;
    if (words >> name >> amount && name.starts_with("Private_") && name != "Private_Hugetlb:")
      sum += amount;
  }
  return sum;
}

void idle_memory(benchmark::State& state, Session& session) {
  const Pool<Benched> pool{{.workers = 1}};
  double kib = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    for (const pid_t server : platform::children_of(platform::own_pid()))
      for (const pid_t worker : platform::children_of(server)) kib = private_kib(worker);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
  session.table.add(state, "private_kib", {"private memory of an idle worker", kib, 0, "KiB", ""});
}

template <class Measure>
void add(const std::string& name, unsigned times, Measure measure) {
  benchmark::RegisterBenchmark(name.c_str(), measure)
      ->Iterations(times)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void serve_laden_if_worker() {
  bulkhead::serve_if_worker<Laden>(
      ServeOptions{.preload = [] { load().assign(std::size_t{500} << 20, 'x'); }},
      [](const Crash&) { std::_Exit(3); },
      [](const Fork& request) { return request.times ? bare_fork_us(request.times) : 0.0; });
}

void register_spares(Session& session) {
  const unsigned times = session.times(100, 5);
  for (const std::size_t spares : {0u, 1u})
    add("recover/spares_" + std::to_string(spares), times,
        [&session, spares](benchmark::State& state) { crash_with_spares(state, session, spares); });
  add("recover/500_MiB", session.times(40, 5),
      [&session](benchmark::State& state) { crash_of_laden(state, session); });
  add("idle_memory", 1, [&session](benchmark::State& state) { idle_memory(state, session); });
}

}  // namespace bulkhead::bench
