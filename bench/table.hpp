// What a run has found: times, each beside what the machine can do at best.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

namespace bulkhead::bench {

using Clock = std::chrono::steady_clock;

// Of one thing that was done again and again.
class Samples {
 public:
  void add(Clock::duration took) { nanoseconds_.push_back(static_cast<double>(took.count())); }
  // In nanoseconds; of nothing, 0.
  double percentile(unsigned percent);
  double median() { return percentile(50); }

 private:
  std::vector<double> nanoseconds_;
};

struct Row {
  std::string what;
  double ours = 0;
  double floor = 0;  // 0: there is none
  std::string unit;
  std::string floor_is;
  bool more_is_better = false;

  // How many times worse than the floor.
  double ratio() const { return more_is_better ? floor / ours : ours / floor; }
};

class Table {
 public:
  // Shows the row among the benchmark's counters too, as `counter`, floor_`counter` and
  // ratio_`counter`.
  void add(benchmark::State& state, const std::string& counter, const Row& row);
  void print() const;

 private:
  std::vector<Row> rows_;
};

// The whole run: how long it may take, and what comes of it.
struct Session {
  bool quick = false;
  Table table = {};

  unsigned times(unsigned usual, unsigned when_quick) const { return quick ? when_quick : usual; }
};

// Each registers its benchmarks with the library; `session` must outlive their run.
void register_latency(Session& session);
void register_throughput(Session& session);
void register_bytes(Session& session);
void register_start(Session& session);
void register_idle(Session& session);
// And serves what its benchmarks call, in a process launched for it.
void register_spares(Session& session);
void serve_laden_if_worker();

}  // namespace bulkhead::bench
