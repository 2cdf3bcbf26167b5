// What a campaign found: what must not be, and how often the rest was.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace bulkhead::test {

// Thread safe.
class Ledger {
 public:
  // Something is wrong: told at once. The campaign fails, and ends soon.
  void violation(const std::string& what);
  bool any_violation() const;
  std::vector<std::string> violations() const;

  void count(const std::string& what, std::uint64_t times = 1);
  void print_counts() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> violations_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace bulkhead::test
