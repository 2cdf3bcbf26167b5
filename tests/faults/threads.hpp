// Workers that serve on several threads, and calls that keep these busy.
#pragma once

#include <string>
#include <vector>

#include "faults/calls.hpp"

namespace bulkhead::test {

inline Launch on_threads(unsigned threads) {
  return Launch::self().env("TEST_THREADS", std::to_string(threads));
}

inline std::vector<Future<pid_t>> run_all(TestPool& pool, const Gate& gate,
                                          const std::vector<std::string>& names) {
  std::vector<Future<pid_t>> running;
  for (const auto& name : names) running.push_back(pool.run(gate.call(name)));
  for (const auto& name : names) gate.runner(name);
  return running;
}

}  // namespace bulkhead::test
