#include "torture/findings.hpp"

#include <cstdio>

namespace bulkhead::torture {

void Findings::violation(std::uint64_t round, const std::string& what) {
  ledger_.violation((round ? "round " + std::to_string(round) + ": " : "") + what);
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
  ledger_.print_counts();
  std::printf("a worker's death to its caller's error:      %s\n", worker_to_error.text().c_str());
  std::printf("a fork server's death to a caller's error:   %s\n",
              fork_server_to_error.text().c_str());
  std::printf("the machine, from a kill to a known end:     %s\n", machine.text().c_str());
  std::printf("an app's death until nothing of it is left:  %s\n", app_to_nothing.text().c_str());
}

}  // namespace bulkhead::torture
