// A campaign: workers, fork servers and applications are killed by the hundred, at random moments
// and at every fault point, and whatever the library promises is checked. Its seed decides what is
// done; `--round N` does one round alone.
#include <malloc.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <cstdio>
#include <optional>
#include <random>
#include <thread>

#include "support/leftovers.hpp"
#include "support/numbers.hpp"
#include "torture/apps.hpp"
#include "torture/board.hpp"
#include "torture/machine.hpp"
#include "torture/round.hpp"
#include "torture/service.hpp"

namespace bulkhead::torture {

namespace {

struct Options {
  std::uint64_t seed = std::random_device()();
  Totals totals;
  std::uint64_t lanes = 3;  // pools under fire at the same time
  std::uint64_t round = 0;  // 0: all
};

constexpr const char* usage =
    "usage: torture [--seed N] [--workers-killed N] [--fork-servers-killed N] [--apps-killed N]\n"
    "               [--lanes N] [--round N]\n"
    "The seed and the totals decide what is done; --round does one round of that alone.\n";

// Memory of this process may grow so much from the warm-up to the end.
constexpr std::size_t growth_allowed = 4096;  // KiB
constexpr std::size_t enough_rounds = 50;     // to speak of a warm-up

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  const bool read =
      test::read_numbers(argc, argv,
                         {{"--seed", &options.seed},
                          {"--workers-killed", &options.totals.workers_killed},
                          {"--fork-servers-killed", &options.totals.fork_servers_killed},
                          {"--apps-killed", &options.totals.apps_killed},
                          {"--lanes", &options.lanes},
                          {"--round", &options.round}});
  return read && options.lanes > 0 ? std::optional(options) : std::nullopt;
}

// As many at once as there are lanes.
void run_rounds(std::span<const Round> rounds, std::uint64_t lanes, Findings& findings) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t lane = 0; lane < lanes; ++lane)
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < rounds.size() && !findings.any_violation(); at = next++)
        run_round(rounds[at], findings);
    });
  for (auto& thread : threads) thread.join();
}

// Deaths that only make others happen cannot be counted ahead.
void run_missing_rounds(const Options& options, std::uint64_t number, Findings& findings) {
  for (; !findings.any_violation(); ++number) {
    const auto missing = [&](std::size_t total, Victim victim) {
      return total - std::min(total, findings.deaths(victim));
    };
    const auto workers = missing(options.totals.workers_killed, Victim::worker);
    const auto servers = missing(options.totals.fork_servers_killed, Victim::fork_server);
    if (workers + servers == 0) return;
    run_round(make_extra_round(options.seed, number, workers, servers), findings);
  }
}

void check_memory(std::size_t before, std::size_t after, Findings& findings) {
  std::printf("memory of the app after the warm-up %zu KiB, at the end %zu KiB, allowed %zu more\n",
              before, after, growth_allowed);
  if (after > before + growth_allowed) findings.violation(0, "the memory of the app has grown");
}

void kill_workers(const Options& options, Findings& findings) {
  std::vector<Round> plan = make_plan(options.seed, options.totals);
  std::printf("%zu rounds, %zu of them at the same time\n", plan.size(),
              static_cast<std::size_t>(options.lanes));
  std::fflush(stdout);
  if (options.round != 0)
    std::erase_if(plan, [&](const Round& round) { return round.number != options.round; });
  std::jthread untouched([&](const std::stop_token& stop) { run_untouched(stop, findings); });
  std::jthread machine([&](const std::stop_token& stop) { measure_machine(stop, findings); });
  const std::span<const Round> rounds(plan);
  const std::size_t warm_up = std::min(rounds.size(), rounds.size() / 10 + 3);
  run_rounds(rounds.first(warm_up), options.lanes, findings);
  const std::size_t before = own_memory();
  run_rounds(rounds.subspan(warm_up), options.lanes, findings);
  if (options.round == 0) run_missing_rounds(options, plan.size() + 1, findings);
  const std::size_t after = own_memory();
  for (std::jthread* const thread : {&untouched, &machine}) {
    thread->request_stop();
    thread->join();
  }
  if (rounds.size() >= enough_rounds) check_memory(before, after, findings);
}

// As an app's death until nothing of it is left: a second, and what the machine needs.
void check_delays(Findings& findings) {
  const auto bound = std::chrono::seconds(1) + findings.machine.longest();
  if (findings.worker_to_error.longest() > bound || findings.fork_server_to_error.longest() > bound)
    findings.violation(0, "a call failed later than 1 s after the death that it depends on");
}

int campaign(const Options& options) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  const auto begin = std::chrono::steady_clock::now();
  Findings findings;
  const test::Leftovers leftovers;
  kill_workers(options, findings);
  check_delays(findings);
  run_next_app(findings);
  if (const auto left = leftovers.await_none(); !left.empty())
    findings.violation(0, "left behind after the rounds:" + left);
  if (!findings.any_violation() && options.round == 0)
    kill_apps(options.seed, options.totals.apps_killed, leftovers, findings);
  if (const auto left = leftovers.await_none(); !left.empty())
    findings.violation(0, "left behind at the end:" + left);
  findings.print();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.0f s\n", took.count());
  for (const auto& what : findings.violations()) std::printf("VIOLATION: %s\n", what.c_str());
  if (findings.any_violation())
    std::printf("FAILED; to try again: ./dev torture --seed %llu\n",
                static_cast<unsigned long long>(options.seed));
  else
    std::printf("nothing was lost, doubled, disturbed or left behind\n");
  return findings.any_violation() ? 1 : 0;
}

}  // namespace

int run(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string("--measured")) be_measured();
  Board::join_if_told();
  serve_if_worker();
  set_logger(spdlog::null_logger_mt("nobody"));  // what happens here would fill pages
  if (const auto code = be_app(argc, argv)) return *code;
  const auto options = parse(argc, argv);
  if (!options) return std::fputs(usage, stderr), 64;
  ::mallopt(M_ARENA_MAX, 1);  // else it is by chance how much of each thread's memory is free
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  return campaign(*options);
}

}  // namespace bulkhead::torture

int main(int argc, char** argv) { return bulkhead::torture::run(argc, argv); }
