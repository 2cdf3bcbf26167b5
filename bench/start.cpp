// How long it takes until a pool is there, one more worker is, and one that crashed is replaced.
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <string>

#include "floor.hpp"
#include "platform/fd.hpp"
#include "platform/pidfd.hpp"
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

constexpr double microsecond = 1000;  // in nanoseconds

Clock::duration time_start(std::size_t workers) {
  const auto start = Clock::now();
  const Pool<Benched> pool{{.workers = workers}};
  return Clock::now() - start;
}

template <class Once>
Samples time_each(benchmark::State& state, Once once) {
  Samples samples;
  for (auto _ : state) {
    const Clock::duration took = once();
    samples.add(took);
    state.SetIterationTime(std::chrono::duration<double>(took).count());
  }
  return samples;
}

void start_pool(benchmark::State& state, Session& session, std::size_t workers) {
  Samples samples = time_each(state, [&] { return time_start(workers); });
  session.table.add(state, "p50_us",
                    {"start of a pool of " + std::to_string(workers),
                     samples.median() / microsecond, bare_exec_us(), "us", "a bare exec"});
}

// What eight more workers take, by eight. Both pools are started in turn, so that a busy moment
// meets both.
void start_one_more(benchmark::State& state, Session& session) {
  constexpr std::size_t more = 8;
  Samples small, large;
  for (auto _ : state) {
    const auto of_one = time_start(1), of_more = time_start(1 + more);
    small.add(of_one);
    large.add(of_more);
    state.SetIterationTime(std::chrono::duration<double>(of_more - of_one).count() / more);
  }
  session.table.add(
      state, "each_us",
      {"each further worker of a pool", (large.median() - small.median()) / more / microsecond,
       bare_fork_us(), "us", "a bare fork"});
}

// Microseconds from the kill of a child until another one says that it runs.
double bare_replacement_us(unsigned times) {
  Samples samples;
  const platform::Pipe ready = platform::make_pipe();
  const auto await_ready = [&] {
    std::array<std::byte, 1> byte{};
    platform::read_some(ready.read, byte);
  };
  const auto say_ready_and_wait = [&] {
    if (::write(ready.write.get(), "", 1) == 1) ::pause();
  };
  for (unsigned i = 0; i < times; ++i) {
    std::optional<ForkedChild> child(std::in_place, say_ready_and_wait);
    await_ready();
    const auto pidfd = platform::Pidfd::open(child->pid());
    const auto start = Clock::now();
    pidfd.signal(SIGKILL);
    pidfd.wait_ended(std::chrono::seconds(10));
    child.reset();
    child.emplace(say_ready_and_wait);
    await_ready();
    samples.add(Clock::now() - start);
    platform::Pidfd::open(child->pid()).signal(SIGKILL);
  }
  return samples.median() / microsecond;
}

// The crashed call fails when the end of its worker is known, and that is when another one is
// ordered: so its answer less that moment is what a new worker takes, with a call.
void crash(benchmark::State& state, Session& session) {
  Pool<Benched> pool{{.workers = 1}};
  Samples known, answered, replaced;
  for (auto _ : state) {
    const auto start = Clock::now();
    try {
      pool.run(Crash{}).get();
    } catch (const Error&) {
    }
    const auto failed = Clock::now();
    pool.run(Echo{}).get();
    const auto end = Clock::now();
    answered.add(end - start);
    replaced.add(end - failed);
    state.SetIterationTime(std::chrono::duration<double>(end - start).count());
  }
  session.table.add(state, "answered_us",
                    {"crash to next answer", answered.median() / microsecond,
                     bare_replacement_us(session.times(100, 20)), "us",
                     "kill, pidfd, reap and fork of a bare child"});
  session.table.add(state, "replaced_us",
                    {"a worker forked, ready and called, p50", replaced.median() / microsecond,
                     bare_fork_us(), "us", "a bare fork"});
  session.table.add(state, "replaced_p99_us",
                    {"a worker forked, ready and called, p99",
                     replaced.percentile(99) / microsecond, 0, "us", ""});
}

template <class Measure>
void add(const std::string& name, unsigned times, Measure measure) {
  benchmark::RegisterBenchmark(name.c_str(), measure)
      ->Iterations(times)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void register_start(Session& session) {
  const unsigned times = session.times(40, 5);
  for (const std::size_t workers : {1u, 4u})
    add("start/pool_of_" + std::to_string(workers), times,
        [&session, workers](benchmark::State& state) { start_pool(state, session, workers); });
  add("start/one_more", times,
      [&session](benchmark::State& state) { start_one_more(state, session); });
  add("crash", session.times(200, 20),
      [&session](benchmark::State& state) { crash(state, session); });
}

}  // namespace bulkhead::bench
