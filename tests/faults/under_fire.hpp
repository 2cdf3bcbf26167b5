// Calls from several threads at once, while other calls kill workers.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "faults/calls.hpp"

namespace bulkhead::test {

constexpr int threads_under_fire = 4, calls_of_each = 300;
constexpr int calls_under_fire = threads_under_fire * calls_of_each;

// How many of them were answered right. Each thread's `i`th call has `options_of(i)`; three calls
// of each are deadly, with options of their own.
template <class OptionsOf, class DeadlyOptionsOf, class Meanwhile>
int answers_under_fire(TestPool& pool, OptionsOf options_of, DeadlyOptionsOf deadly_options_of,
                       Meanwhile meanwhile) {
  std::atomic<int> right = 0;
  const auto call = [&](int offset) {
    std::vector<Future<int>> calls;
    for (int i = 0; i < calls_of_each; ++i) {
      calls.push_back(pool.run(Add{i, offset}, options_of(i)));
      if (i % 100 == 50) static_cast<void>(pool.run(Die{}, deadly_options_of(i)));
    }
    int sum = offset;
    for (auto& each : calls) right += value_of(std::move(each)) == sum++;
  };
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < threads_under_fire; ++thread) threads.emplace_back(call, thread);
    meanwhile();
  }
  return right;
}

}  // namespace bulkhead::test
