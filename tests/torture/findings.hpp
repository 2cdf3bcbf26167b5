// What the campaign found: what must not be, and figures. Thread safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "torture/points.hpp"

namespace bulkhead::torture {

// Durations of one kind; the memory for them is taken at once, so that it is not counted as growth.
class Times {
 public:
  Times() { taken_.reserve(8192); }
  void add(std::chrono::nanoseconds time);
  std::chrono::nanoseconds longest() const;
  // "p50 0.3 ms, p99 1.2 ms, longest 2.0 ms (417 measured)"
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::chrono::nanoseconds> taken_;
};

class Findings {
 public:
  // Something is wrong: the campaign fails, and ends soon.
  void violation(std::uint64_t round, const std::string& what);
  bool any_violation() const;
  std::vector<std::string> violations() const;

  void death(PointIndex point, Kind kind);
  std::size_t deaths(Victim victim) const;
  void count(const std::string& what, std::uint64_t times = 1);  // calls, by how they ended

  void print() const;

  // From a death to the error that its caller, who was waiting then, got of it.
  Times worker_to_error, fork_server_to_error;
  // What the machine needs for it: from a kill to a readable pidfd.
  Times machine;
  Times app_to_nothing;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> violations_;
  std::array<std::array<std::uint64_t, kinds.size() + 1>, points.size()> deaths_{};
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace bulkhead::torture
