// What came of it. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace bulkhead::attack {

class Ledger {
 public:
  // Something is wrong: it goes on, and fails at last.
  void violation(const std::string& what);
  bool any_violation() const { return violations_ > 0; }
  void count(const std::string& what, std::uint64_t times = 1);
  // Grows while anything goes on.
  std::uint64_t counted() const { return counted_; }
  void print() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
  std::atomic<std::uint64_t> violations_ = 0, counted_ = 0;
};

}  // namespace bulkhead::attack
