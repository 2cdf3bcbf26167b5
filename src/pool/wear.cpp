#include "pool/wear.hpp"

namespace bulkhead::pool {

Wear::Wear(const Limits& limits, Time now, double chance)
    : memory_(limits.memory), growth_(limits.growth) {
  constexpr double spread = 0.1;
  const double share = 1 - spread * chance;
  if (limits.requests > 0) {
    const auto less = static_cast<double>(limits.requests) * spread * chance;
    answers_ = limits.requests - static_cast<std::uint64_t>(less);
  }
  if (limits.age.count() <= 0) return;
  const std::chrono::duration<double, std::nano> age = limits.age * share;
  if (age < Time::max() - now) end_ = now + std::chrono::duration_cast<Time::duration>(age);
}

bool Wear::is_worn_by_memory(std::size_t resident) {
  if (!first_reading_) first_reading_ = resident;
  const std::size_t grown = resident > *first_reading_ ? resident - *first_reading_ : 0;
  return (memory_ > 0 && resident > memory_) || (growth_ > 0 && grown > growth_);
}

}  // namespace bulkhead::pool
