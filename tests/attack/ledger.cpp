#include "attack/ledger.hpp"

#include <cstdio>

namespace bulkhead::attack {

void Ledger::violation(const std::string& what) {
  constexpr std::uint64_t enough = 20;
  if (++violations_ <= enough) std::fprintf(stderr, "VIOLATION: %s\n", what.c_str());
}

void Ledger::count(const std::string& what, std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  counts_[what] += times;
  counted_ += times;
}

void Ledger::print() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [what, count] : counts_)
    std::printf("%-44s %9llu\n", what.c_str(), static_cast<unsigned long long>(count));
}

}  // namespace bulkhead::attack
