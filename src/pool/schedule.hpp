// Who gets what: the least loaded worker first, some calls ahead so that no worker starves, and
// some of them back when another worker is free. Counts only: no I/O, no thread, no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace bulkhead::pool {

class Schedule {
 public:
  using Member = std::size_t;  // a worker's place in the pool, from 0

  // `ahead`: how many calls a worker may hold, the one that it runs included.
  Schedule(std::size_t members, std::size_t ahead) : loads_(members), ahead_(ahead) {}

  void joined(Member member);  // it is ready, with nothing to do
  void left(Member member);    // it ended; what it held is counted elsewhere
  bool present(Member member) const { return loads_[member].has_value(); }
  std::size_t members() const { return present_; }

  // Whom to give the next call to: none when all hold as many as they may.
  std::optional<Member> pick() const;
  void gave(Member member);                             // it was given a call
  void returned(Member member, std::size_t count = 1);  // answered, or taken back from it

  std::size_t load(Member member) const { return loads_[member].value_or(0); }
  // Workers that have at least one call, so run one: each runs one at a time.
  std::size_t busy() const { return busy_; }

  // A worker is free and nothing waits: from whom to take how many calls back, the latest first.
  struct Theft {
    Member from;
    std::size_t count;
  };
  std::optional<Theft> relief_for(Member idle) const;

 private:
  std::vector<std::optional<std::size_t>> loads_;  // calls held; empty: no worker there
  std::size_t ahead_;
  std::size_t present_ = 0;
  std::size_t busy_ = 0;
};

}  // namespace bulkhead::pool
