// What a pool costs that nobody calls.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "platform/proc.hpp"
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

struct Cost {
  double wake_ups = 0;
  double cpu_ms = 0;
};

// Each time that a thread is woken it goes to sleep again, of its own will.
double wake_ups_of(const std::filesystem::path& thread) {
  constexpr std::string_view key = "voluntary_ctxt_switches:";
  std::ifstream status(thread / "status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size()));
  return 0;
}

double cpu_ms_of(const std::filesystem::path& thread) {
  double nanoseconds = 0;
  std::ifstream(thread / "schedstat") >> nanoseconds;
  return nanoseconds / 1e6;
}

// Of all threads of this process and of those below it, but not of the calling one, which only
// waits for the time to pass.
std::map<std::string, Cost> costs() {
  const pid_t self = platform::own_pid();
  std::set<pid_t> processes{self};
  for (const auto& process : platform::descendants_of({self})) processes.insert(process.pid);
  std::map<std::string, Cost> costs;
  for (const pid_t process : processes) {
    const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& thread : std::filesystem::directory_iterator(tasks))
      if (thread.path().filename() != std::to_string(self))
        costs[thread.path()] = {wake_ups_of(thread), cpu_ms_of(thread)};
  }
  return costs;
}

void idle(benchmark::State& state, Session& session) {
  const std::chrono::seconds period(session.times(10, 1));
  Pool<Benched> pool;
  pool.run(Echo{}).get();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until nobody spins any more
  Cost sum;
  for (auto _ : state) {
    const auto before = costs();
    std::this_thread::sleep_for(period);
    for (const auto& [thread, after] : costs()) {
      const auto found = before.find(thread);
      const Cost then = found == before.end() ? Cost{} : found->second;
      sum.wake_ups += after.wake_ups - then.wake_ups;
      sum.cpu_ms += after.cpu_ms - then.cpu_ms;
    }
    state.SetIterationTime(std::chrono::duration<double>(period).count());
  }
  const std::string what = "idle pool, " + std::to_string(period.count()) + " s: ";
  session.table.add(state, "wake_ups", {what + "wake-ups", sum.wake_ups, 0, "", ""});
  session.table.add(state, "cpu_ms", {what + "CPU time", sum.cpu_ms, 0, "ms", ""});
}

}  // namespace

void register_idle(Session& session) {
  benchmark::RegisterBenchmark("idle",
                               [&session](benchmark::State& state) { idle(state, session); })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kSecond);
}

}  // namespace bulkhead::bench
