// Who of the workers that are ready takes calls, and who is a spare: kept ready, without calls,
// until a place is free. No I/O, no thread, no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace bulkhead::pool {

class Roster {
 public:
  using Member = std::size_t;  // a worker's place in the pool

  // `places`: how many take calls at most.
  explicit Roster(std::size_t places) : places_(places) {}

  // From now on. Who takes calls already goes on.
  void resize(std::size_t places) { places_ = places; }

  void ready(Member member);  // it is a spare now
  // It ended, or is to end. Nothing happens for one that is not on the roster.
  void left(Member member);
  // A spare that takes calls from now on, if a place is free; to be asked until there is none. The
  // latest first: after a reload has begun that is the new program, and the old one is not given
  // new work.
  std::optional<Member> call_up();

  bool is_spare(Member member) const;
  bool is_active(Member member) const;
  std::size_t spares() const { return spares_.size(); }

 private:
  std::size_t places_;
  std::vector<Member> active_;
  std::vector<Member> spares_;  // in the order in which they got ready
};

}  // namespace bulkhead::pool
