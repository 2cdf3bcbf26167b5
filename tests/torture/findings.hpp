// What the campaign found: what must not be, and figures. Thread safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "support/ledger.hpp"
#include "support/times.hpp"
#include "torture/points.hpp"

namespace bulkhead::torture {

class Findings {
 public:
  // Something is wrong: the campaign fails, and ends soon.
  void violation(std::uint64_t round, const std::string& what);
  bool any_violation() const { return ledger_.any_violation(); }
  std::vector<std::string> violations() const { return ledger_.violations(); }

  void death(PointIndex point, Kind kind);
  std::size_t deaths(Victim victim) const;
  // Calls, by how they ended, and the like.
  void count(const std::string& what, std::uint64_t times = 1) { ledger_.count(what, times); }

  void print() const;

  // From a death to the error that its caller, who was waiting then, got of it.
  test::Times worker_to_error, fork_server_to_error;
  // What the machine needs for it: from a kill to a readable pidfd.
  test::Times machine;
  test::Times app_to_nothing;

 private:
  test::Ledger ledger_;
  mutable std::mutex mutex_;  // of deaths_
  std::array<std::array<std::uint64_t, kinds.size() + 1>, points.size()> deaths_{};
};

}  // namespace bulkhead::torture
