// The N-th failure: each system call and each allocation that an application makes for a pool, and
// each of its fork server, is made to fail, one in each run of a scenario. Each time there is an
// error or success; never a crash, a hang, or anything left.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "bulkhead/log.hpp"
#include "nth/failing.hpp"
#include "nth/runs.hpp"
#include "nth/scenario.hpp"
#include "support/leftovers.hpp"
#include "support/numbers.hpp"

namespace bulkhead::nth {

namespace {

constexpr const char* usage =
    "usage: nth [--process app|fork_server] [--kind system_calls|allocations]\n"
    "           [--first N] [--last N] [--stride N]\n"
    "Without these: each call of each kind of both processes.\n";

struct Options {
  std::string process, kind;  // empty: each
  Range range;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  const auto set = [&](std::string_view name, const char* text) {
    if (name == "--process") return options.process = text, true;
    if (name == "--kind") return options.kind = text, true;
    const auto number = test::to_number(text).value_or(0);
    if (name == "--first")
      options.range.first = number;
    else if (name == "--last")
      options.range.last = number;
    else if (name == "--stride")
      options.range.stride = number;
    else
      return false;
    return number > 0;
  };
  for (int at = 1; at < argc; at += 2)
    if (at + 1 == argc || !set(argv[at], argv[at + 1])) return std::nullopt;
  return options;
}

int play_once() {
  // What the library tells of each crash would fill pages.
  set_logger(spdlog::null_logger_mt("nobody"));
  const auto wrong = play();
  for (const std::string& line : wrong) std::printf("  %s\n", line.c_str());
  return wrong.empty() ? 0 : 1;
}

int run_all(const Options& options) {
  const test::Leftovers leftovers;
  std::uint64_t failures = 0;
  for (const char* process : {"app", "fork_server"})
    for (const char* kind : {"system_calls", "allocations"}) {
      if (!options.process.empty() && options.process != process) continue;
      if (!options.kind.empty() && options.kind != kind) continue;
      const Tally tally = run({process, kind}, options.range);
      std::printf("%-12s %-13s %5lu runs, %lu went wrong\n", process, kind, tally.runs,
                  tally.failures);
      failures += tally.failures;
    }
  const std::string left = leftovers.await_none();
  if (!left.empty()) std::printf("left behind:%s\n", left.c_str());
  return failures == 0 && left.empty() ? 0 : 1;
}

}  // namespace

}  // namespace bulkhead::nth

int main(int argc, char** argv) {
  using namespace bulkhead::nth;
  if (const char* process = std::getenv("NTH_PROCESS")) arm(process);
  serve_if_worker();
  if (argc == 2 && std::string_view(argv[1]) == "--play") return play_once();
  const auto options = parse(argc, argv);
  if (options) return run_all(*options);
  std::fputs(usage, stderr);
  return 64;
}
