#include "support/times.hpp"

#include <algorithm>
#include <cstdio>

namespace bulkhead::test {

namespace {

double ms(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

void Times::add(std::chrono::nanoseconds time) {
  const std::lock_guard lock(mutex_);
  taken_.push_back(time);
}

std::chrono::nanoseconds Times::longest() const {
  const std::lock_guard lock(mutex_);
  return taken_.empty() ? std::chrono::nanoseconds::zero()
                        : *std::max_element(taken_.begin(), taken_.end());
}

std::string Times::text() const {
  const std::lock_guard lock(mutex_);
  if (taken_.empty()) return "none measured";
  auto sorted = taken_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](std::size_t percent) {
    return ms(sorted[(sorted.size() - 1) * percent / 100]);
  };
  char text[160];
  std::snprintf(text, sizeof text, "p50 %.3f ms, p99 %.3f ms, longest %.3f ms (%zu measured)",
                at(50), at(99), at(100), sorted.size());
  return text;
}

}  // namespace bulkhead::test
