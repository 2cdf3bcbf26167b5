#include "support/ledger.hpp"

#include <cstdio>

namespace bulkhead::test {

void Ledger::violation(const std::string& what) {
  constexpr std::size_t enough = 20;
  const std::lock_guard lock(mutex_);
  if (violations_.size() >= enough) return;
  violations_.push_back(what);
  std::fprintf(stderr, "VIOLATION: %s\n", what.c_str());
}

bool Ledger::any_violation() const {
  const std::lock_guard lock(mutex_);
  return !violations_.empty();
}

std::vector<std::string> Ledger::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

void Ledger::count(const std::string& what, std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  counts_[what] += times;
}

void Ledger::print_counts() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [what, count] : counts_)
    std::printf("%-52s %9llu\n", what.c_str(), static_cast<unsigned long long>(count));
}

}  // namespace bulkhead::test
