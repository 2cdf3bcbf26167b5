// How many workers a pool has, as a rule: one more for each call that has waited for a while, up to
// `most`; one less when one has had nothing to do for long, down to `least`. What workers are up to
// goes in at each look; the owner acts. No I/O, no thread, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bulkhead::pool {

class Size {
 public:
  using Member = std::size_t;  // a worker's place in the pool
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    std::size_t at_first, least, most;
    std::chrono::nanoseconds idle_timeout = {};
  };
  explicit Size(const Limits& limits) : limits_(limits), now_(limits.at_first) {}

  // How many there are to be.
  std::size_t now() const { return now_; }
  bool is_fixed() const { return limits_.at_first == limits_.most && limits_.least == now_; }
  bool may_grow() const { return now_ < limits_.most; }
  bool may_shrink() const { return now_ > limits_.least; }

  // So many calls have waited, and so many workers are being started: how many more are to be.
  std::size_t grow(std::size_t waiting, std::size_t coming);

  // At each look, for each that takes calls. `busy`: it holds some.
  void saw(Member member, std::uint64_t answered, bool busy, Time now);
  void left(Member member);
  // At a look: one that is to leave.
  std::optional<Member> shrink(Time now);
  // How long until the next look, while it may shrink.
  std::chrono::nanoseconds until_next_look() const;

 private:
  struct Seen {
    Member member;
    std::uint64_t answered;
    Time idle_since;
  };

  const Limits limits_;
  std::size_t now_;
  std::vector<Seen> seen_;
};

}  // namespace bulkhead::pool
