// A campaign: workers that were taken over change words of all that they share with the app, send
// what no worker sends, and go on until they are stopped. Whatever the library promises its app is
// checked. Its seed decides what is changed, and in which order.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <thread>

#include "attack/allocations.hpp"
#include "attack/assault.hpp"
#include "attack/bystander.hpp"
#include "attack/tally.hpp"
#include "support/leftovers.hpp"
#include "support/temp_dir.hpp"

namespace bulkhead::attack {

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t seed = std::random_device()();
  std::uint64_t mutations = 1'000'000;
  std::uint64_t lanes = 3;  // hostile pools at the same time
};

constexpr const char* usage = "usage: attack [--seed N] [--mutations N] [--lanes N]\n";
constexpr std::chrono::seconds harmless_for{5}, patience{120};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; at += 2) {
    const std::string name = argv[at];
    std::uint64_t* const value = name == "--seed"        ? &options.seed
                                 : name == "--mutations" ? &options.mutations
                                 : name == "--lanes"     ? &options.lanes
                                                         : nullptr;
    if (!value || at + 1 == argc) return std::nullopt;
    const char* const end = argv[at + 1] + std::strlen(argv[at + 1]);
    const auto [read, error] = std::from_chars(argv[at + 1], end, *value);
    if (error != std::errc() || read != end) return std::nullopt;
  }
  return options.lanes > 0 ? std::optional(options) : std::nullopt;
}

// Ends the program with words about it where nothing goes on any more.
class Watchdog {
 public:
  explicit Watchdog(const Ledger& ledger)
      : thread_([&ledger](const std::stop_token& stop) { watch(ledger, stop); }) {}

 private:
  static void watch(const Ledger& ledger, const std::stop_token& stop) {
    std::uint64_t seen = ~std::uint64_t{0};
    for (auto since = Clock::now(); !stop.stop_requested();) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (const std::uint64_t now = ledger.counted(); now != seen) {
        seen = now;
        since = Clock::now();
      } else if (Clock::now() - since > patience) {
        std::fprintf(stderr, "VIOLATION: nothing has gone on for 120 s\n");
        std::abort();
      }
    }
  }
  std::jthread thread_;
};

// One pool for each lane, until `over`.
template <class Over>
void run_lanes(const Options& options, bool harmless, const std::string& tally, Ledger& ledger,
               Over over) {
  std::vector<std::thread> lanes;
  for (std::uint64_t lane = 0; lane < options.lanes; ++lane)
    lanes.emplace_back([&, lane] {
      Assault assault(ledger, options.seed + (lane << 40), harmless, tally);
      while (!over() && !ledger.any_violation()) assault.round();
    });
  for (auto& lane : lanes) lane.join();
}

void print_times(const char* when, const Bystander::Times& times) {
  std::printf("calls beside %s: p50 %.1f us, p99 %.1f us (%zu)\n", when, times.p50, times.p99,
              times.calls);
}

void attack_all(const Options& options, Ledger& ledger) {
  const test::TempDir folder;
  const std::string file = folder / "tally";
  const Tally tally(file);
  Bystander bystander(ledger);
  const auto until = Clock::now() + harmless_for;
  Ledger unheard;
  run_lanes(options, true, file, unheard, [&] { return Clock::now() > until; });
  const Bystander::Times usual = bystander.times();
  forget_allocations();
  run_lanes(options, false, file, ledger, [&] { return tally.sum() >= options.mutations; });
  const Bystander::Times attacked = bystander.times();
  std::printf("%llu mutations:\n", static_cast<unsigned long long>(tally.sum()));
  const auto each = tally.each();
  for (std::size_t kind = 0; kind < kinds.size(); ++kind)
    std::printf("  %-42s %9llu\n", std::string(kinds[kind]).c_str(),
                static_cast<unsigned long long>(each[kind]));
  print_times("workers that are killed as often", usual);
  print_times("the attack", attacked);
}

int campaign(const Options& options) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const auto begin = Clock::now();
  Ledger ledger;
  const test::Leftovers leftovers;
  {
    const Watchdog watchdog(ledger);
    attack_all(options, ledger);
  }
  if (const auto left = leftovers.await_none(); !left.empty())
    ledger.violation("left behind:" + left);
  const std::size_t largest = largest_allocation();
  if (largest > 4 * max_message)
    ledger.violation("so much was allocated at once: " + std::to_string(largest));
  ledger.print();
  std::printf("largest allocation %zu bytes, a message has at most %zu\n", largest, max_message);
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("%.0f s\n%s\n", took.count(),
              ledger.any_violation() ? "FAILED" : "every call has settled, and nothing was harmed");
  return ledger.any_violation() ? 1 : 0;
}

}  // namespace

int run(int argc, char** argv) {
  serve_if_worker();
  set_logger(spdlog::null_logger_mt("nobody"));  // what happens here would fill pages
  const auto options = parse(argc, argv);
  if (!options) return std::fputs(usage, stderr), 64;
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  return campaign(*options);
}

}  // namespace bulkhead::attack

int main(int argc, char** argv) { return bulkhead::attack::run(argc, argv); }
