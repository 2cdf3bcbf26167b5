// When which call is to be looked at. Calls that are settled are forgotten by and by, so that
// adding one costs no more however many there were. No thread, no clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace bulkhead::pool {

// Watched::over(): nobody needs to look at it any more.
template <class Watched>
class Deadlines {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // True: it is the next of all.
  bool add(Time when, Watched watched) {
    if (entries_.size() >= tidy_at_) tidy();
    entries_.push_back({when, std::move(watched)});
    std::push_heap(entries_.begin(), entries_.end());
    return entries_.front().when == when;
  }

  // Of those that are not over.
  std::optional<Time> next() {
    while (!entries_.empty() && entries_.front().watched.over()) pop();
    return entries_.empty() ? std::nullopt : std::optional(entries_.front().when);
  }

  // Those whose time has come, in its order.
  std::vector<Watched> take_due(Time now) {
    std::vector<Watched> due;
    while (const auto when = next()) {
      if (*when > now) break;
      due.push_back(pop());
    }
    return due;
  }

  std::size_t size() const { return entries_.size(); }  // with what is not forgotten yet

 private:
  struct Entry {
    Time when;
    Watched watched;
    bool operator<(const Entry& other) const { return other.when < when; }
  };
  static constexpr std::size_t few = 64;

  Watched pop() {
    std::pop_heap(entries_.begin(), entries_.end());
    Watched watched = std::move(entries_.back().watched);
    entries_.pop_back();
    return watched;
  }
  void tidy() {
    std::erase_if(entries_, [](const Entry& entry) { return entry.watched.over(); });
    std::make_heap(entries_.begin(), entries_.end());
    tidy_at_ = std::max(few, 2 * entries_.size());
  }

  std::vector<Entry> entries_;  // a heap: the next is first
  std::size_t tidy_at_ = few;
};

}  // namespace bulkhead::pool
