// A campaign: workers that were taken over change words of all that they share with the app, send
// what no worker sends, and go on until they are stopped. Whatever the library promises its app is
// checked. Its seed decides what is changed, and in which order.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "attack/allocations.hpp"
#include "attack/assault.hpp"
#include "attack/bystander.hpp"
#include "attack/tally.hpp"
#include "support/leftovers.hpp"
#include "support/numbers.hpp"
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
constexpr std::size_t most_times = 1 << 21;

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  const bool read = test::read_numbers(argc, argv,
                                       {{"--seed", &options.seed},
                                        {"--mutations", &options.mutations},
                                        {"--lanes", &options.lanes}});
  return read && options.lanes > 0 ? std::optional(options) : std::nullopt;
}

// Ends the program with words about it where no round ends any more.
class Rounds {
 public:
  void lane_began() { change(1, 0); }
  void ended() { change(0, 1); }
  void lane_ended() { change(-1, 1); }
  void await_all() {
    std::unique_lock lock(mutex_);
    while (lanes_ > 0) {
      const std::uint64_t seen = ended_;
      if (changed_.wait_for(lock, patience, [&] { return ended_ != seen; })) continue;
      std::fprintf(stderr, "VIOLATION: nothing has gone on for 120 s\n");
      std::abort();
    }
  }

 private:
  void change(int lanes, unsigned ended) {
    const std::lock_guard lock(mutex_);
    lanes_ += lanes;
    ended_ += ended;
    changed_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int lanes_ = 0;
  std::uint64_t ended_ = 0;
};

// One pool for each lane, until `over`.
template <class Over>
void run_lanes(const Options& options, const Assault::Place& place, Over over) {
  Rounds rounds;
  std::vector<std::jthread> lanes;
  for (std::uint64_t lane = 0; lane < options.lanes; ++lane) {
    rounds.lane_began();
    lanes.emplace_back([&, lane] {
      {
        Assault assault(place, options.seed + (lane << 40));
        for (; !over() && !place.ledger.any_violation(); rounds.ended()) assault.round();
      }
      rounds.lane_ended();
    });
  }
  rounds.await_all();
}

void print_mutations(const Tally& tally) {
  std::printf("%llu mutations:\n", static_cast<unsigned long long>(tally.sum()));
  const auto each = tally.each();
  for (std::size_t kind = 0; kind < kinds.size(); ++kind)
    std::printf("  %-50s %9llu\n", std::string(kinds[kind]).c_str(),
                static_cast<unsigned long long>(each[kind]));
}

// The same pools, calls and deaths twice: of workers that do nothing to their app, and of others.
void attack_all(const Options& options, test::Ledger& ledger) {
  const test::TempDir folder;
  const Tally tally(folder / "tally");
  Bystander bystander(ledger);
  test::Times usual(most_times), attacked(most_times);
  const auto until = Clock::now() + harmless_for;
  run_lanes(options, {ledger, bystander, usual, folder / "tally", true},
            [&] { return Clock::now() > until; });
  forget_allocations();
  run_lanes(options, {ledger, bystander, attacked, folder / "tally", false},
            [&] { return tally.sum() >= options.mutations; });
  const std::size_t largest = largest_allocation();
  if (largest > 4 * max_message)
    ledger.violation("so much was allocated at once: " + std::to_string(largest));
  print_mutations(tally);
  std::printf("calls beside workers that are killed: %s\n", usual.text().c_str());
  std::printf("calls beside the attack:              %s\n", attacked.text().c_str());
  std::printf("largest allocation %zu bytes, a message has at most %zu\n", largest, max_message);
}

int campaign(const Options& options) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const auto begin = Clock::now();
  test::Ledger ledger;
  const test::Leftovers leftovers;
  attack_all(options, ledger);
  if (const auto left = leftovers.await_none(); !left.empty())
    ledger.violation("left behind:" + left);
  ledger.print_counts();
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
