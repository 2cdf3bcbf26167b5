#include "nth/runs.hpp"

#include <fcntl.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "nth/failing.hpp"
#include "platform/fd.hpp"
#include "platform/host.hpp"
#include "platform/proc.hpp"
#include "process/spawn.hpp"
#include "support/temp_dir.hpp"

namespace bulkhead::nth {

namespace {

constexpr unsigned at_once = 2;
constexpr std::chrono::seconds watchdog(60);

struct Outcome {
  bool failed_a_call = false;
  std::string wrong;  // empty: an error or success, and nothing left
};

process::Child start(const Series& series, std::uint64_t nth, const test::TempDir& folder) {
  const auto output = platform::open_file(folder / "output", O_CREAT | O_WRONLY | O_APPEND, 0600);
  const std::string order = series.process + ":" + series.kind + ":" + std::to_string(nth) + ":" +
                            (folder / "record").string();
  return process::spawn(
      {.path = "/proc/self/exe",
       .arguments = {"nth", "--play"},
       .environment = process::make_environment(platform::environment(), {{"NTH", order}}),
       .descriptors = {{output.get(), 1}, {output.get(), 2}},
       .new_session = true});
}

std::string wrong_with(const process::Child& child) {
  const bool ended = child.pidfd.wait_ended(watchdog);
  if (!ended) child.pidfd.signal(SIGKILL);
  const auto ending = child.pidfd.reap(true).value();
  if (!ended) return "it hangs";
  if (ending.how != platform::Ending::How::exited)
    return "it died of signal " + std::to_string(ending.status);
  return ending.status == 0 ? "" : "it exited with " + std::to_string(ending.status);
}

Outcome run_once(const Series& series, std::uint64_t nth) {
  const test::TempDir folder;
  const RecordFile record(folder / "record");
  const process::Child child = start(series, nth, folder);
  std::string wrong = wrong_with(child);
  if (wrong.empty()) return {record->failed, {}};
  wrong += "\n  " + record.text() + "\n" + platform::read_file(folder / "output");
  return {record->failed, wrong};
}

}  // namespace

Tally run(const Series& series, const Range& range) {
  std::atomic<std::uint64_t> next = 0, runs = 0, failures = 0;
  std::atomic<bool> past_the_end = false;
  std::mutex printing;
  const auto run_some = [&] {
    while (!past_the_end) {
      const std::uint64_t nth = range.first + range.stride * next++;
      if (nth > range.last) return;
      const Outcome outcome = run_once(series, nth);
      ++runs;
      if (!outcome.failed_a_call) past_the_end = true;
      if (outcome.wrong.empty()) continue;
      ++failures;
      const std::lock_guard lock(printing);
      std::printf("%s %s %lu: %s\n", series.process.c_str(), series.kind.c_str(), nth,
                  outcome.wrong.c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < at_once; ++i) threads.emplace_back(run_some);
  for (auto& thread : threads) thread.join();
  return {runs, failures};
}

}  // namespace bulkhead::nth
