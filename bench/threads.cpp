// Several threads of the application that call the same worker.
#include <algorithm>
#include <thread>
#include <vector>

#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

// Calls a second; the threads share the calls, and those that are open.
double throughput_once(Subject& subject, unsigned threads, unsigned calls) {
  const auto start = Clock::now();
  {
    std::vector<std::jthread> callers;
    for (unsigned i = 0; i < threads; ++i)
      callers.emplace_back([&] { subject.call_many(calls / threads, open_calls / threads); });
  }
  return calls / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void measure_threads(Figures& figures, Effort effort) {
  const unsigned calls = effort.times(200'000, 20'000);
  auto worker = our_worker();
  double of_four = 0, of_one = 0;
  for (unsigned i = 0; i < effort.times(10, 3); ++i) {
    of_four = std::max(of_four, throughput_once(worker, 4, calls));
    of_one = std::max(of_one, throughput_once(worker, 1, calls));
  }
  figures.set_beside("throughput_4_threads_per_s", of_four, of_one);
}

}  // namespace bulkhead::bench
