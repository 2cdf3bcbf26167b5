#include "torture/findings.hpp"

#include <algorithm>
#include <cstdio>

namespace bulkhead::torture {

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
  char text[128];
  std::snprintf(text, sizeof text, "p50 %.2f ms, p99 %.2f ms, longest %.2f ms (%zu measured)",
                at(50), at(99), at(100), sorted.size());
  return text;
}

void Findings::violation(std::uint64_t round, const std::string& what) {
  const std::lock_guard lock(mutex_);
  const std::string line = (round ? "round " + std::to_string(round) + ": " : "") + what;
  if (violations_.size() < 20) violations_.push_back(line);
  std::fprintf(stderr, "VIOLATION: %s\n", line.c_str());
}

bool Findings::any_violation() const {
  const std::lock_guard lock(mutex_);
  return !violations_.empty();
}

std::vector<std::string> Findings::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

void Findings::death(PointIndex point, Kind kind) {
  const std::lock_guard lock(mutex_);
  ++deaths_[point][static_cast<std::size_t>(kind)];
}

std::size_t Findings::deaths(Victim victim) const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (PointIndex point = 0; point < points.size(); ++point)
    if (points[point].victim == victim)
      for (const auto count : deaths_[point]) sum += count;
  return sum;
}

void Findings::count(const std::string& what, std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  counts_[what] += times;
}

void Findings::print() const {
  std::printf("%-32s", "deaths");
  for (const Kind kind : kinds) std::printf(" %8s", std::string(name_of(kind)).c_str());
  std::printf("\n");
  for (PointIndex point = 0; point < points.size(); ++point) {
    std::printf("  %-30s", std::string(points[point].name).c_str());
    for (const Kind kind : kinds)
      std::printf(" %8llu",
                  static_cast<unsigned long long>(deaths_[point][static_cast<std::size_t>(kind)]));
    std::printf("\n");
  }
  std::printf("  in all: %zu workers, %zu fork servers\n", deaths(Victim::worker),
              deaths(Victim::fork_server));
  for (const auto& [what, count] : counts_)
    std::printf("%-32s %8llu\n", what.c_str(), static_cast<unsigned long long>(count));
  std::printf("a worker's death to its caller's error:      %s\n", worker_to_error.text().c_str());
  std::printf("a fork server's death to a caller's error:   %s\n",
              fork_server_to_error.text().c_str());
  std::printf("the machine, from a kill to a known end:     %s\n", machine.text().c_str());
  std::printf("an app's death until nothing of it is left:  %s\n", app_to_nothing.text().c_str());
}

}  // namespace bulkhead::torture
