#include "pool/restart.hpp"

#include <algorithm>

namespace bulkhead::pool {

std::chrono::nanoseconds Restart::delay(double chance) const {
  if (in_a_row_ <= 1) return std::chrono::nanoseconds::zero();
  const unsigned doublings = std::min(in_a_row_ - 2, 20u);
  const std::chrono::duration<double> full = first_delay * (1u << doublings);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::min<std::chrono::duration<double>>(full * (0.5 + chance), longest_delay));
}

Restart::Time Restart::unexplained(Time now, std::chrono::nanoseconds uptime, double chance) {
  if (uptime >= healthy_uptime) in_a_row_ = 0;
  ++in_a_row_;
  recent_.push_back(now);
  // Compared in the period's own unit, which the longest one does not overflow.
  const auto is_past = [&](Time crash) {
    return std::chrono::floor<std::chrono::milliseconds>(now - crash) > limit_.period;
  };
  while (is_past(recent_.front())) recent_.pop_front();
  if (limit_.count == 0) {
    recent_.clear();
    return now + delay(chance);
  }
  if (trying_again_ || recent_.size() > limit_.count) {
    broken_ = true;
    trying_again_ = false;
    recent_.clear();
    return now + pause;
  }
  // While it is broken, other workers' ends do not shorten the pause: the owner keeps the later
  // time.
  return now + delay(chance);
}

}  // namespace bulkhead::pool
