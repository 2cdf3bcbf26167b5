// Whether a worker still beats, as a rule: it raises a count now and then, and is suspect when that
// has stood still for several looks. Counted in looks and not in time, so that a process that was
// itself stopped suspects nobody. No I/O, no thread, no clock.
#pragma once

#include <cstdint>
#include <utility>

namespace bulkhead::pool {

class Beats {
 public:
  enum class Verdict { as_before, suspect, recovered };

  // At each look; the count may be anything.
  Verdict look(std::uint32_t count) {
    if (std::exchange(count_, count) != count) {
      missed_ = 0;
      return std::exchange(suspect_, false) ? Verdict::recovered : Verdict::as_before;
    }
    if (missed_ < patience) ++missed_;
    if (missed_ < patience || std::exchange(suspect_, true)) return Verdict::as_before;
    return Verdict::suspect;
  }
  bool suspect() const { return suspect_; }

 private:
  static constexpr unsigned patience = 3;
  std::uint32_t count_ = 0;
  unsigned missed_ = 0;
  bool suspect_ = false;
};

}  // namespace bulkhead::pool
