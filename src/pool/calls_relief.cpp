// What a worker has been given and not begun goes to one that has nothing to do.
#include <new>
#include <utility>
#include <vector>

#include "pool/calls.hpp"

namespace bulkhead::pool {

// Others have their turn, or are taken from where they would wait longer. Where there is no memory
// for that they wait for the next who has done some.
void Calls::has_done_some(Member member) try {
  dispatch();
  if (waiting() > 0 && schedule_.has_free_thread(member)) relieve(member);
} catch (const std::bad_alloc&) {
}

// A worker has a thread free: if nothing waits, it gets some of what another has not begun.
void Calls::relieve(Member free) {
  if (!queue_.empty()) return;
  std::vector<Member> in_vain;  // they have begun more than was known
  while (const auto theft = schedule_.relief_for(free, in_vain)) {
    if (take_back(theft->from, theft->count)) return dispatch();
    in_vain.push_back(theft->from);
  }
}

// They were given before those that wait, and go before them. For want of memory they stay: they
// are given once more.
bool Calls::take_back(Member from, std::size_t count) {
  auto taken = seats_[from].worker->connection().take_back(count);
  schedule_.returned(from, taken.size());
  held_ -= taken.size();
  for (auto& open : taken) {
    open.life.taken_back();
    const auto call = open.call;
    try {
      put_first(std::move(open));
    } catch (const std::bad_alloc&) {
      if (give(from, std::move(open))) seats_[from].worker->connection().ring();
      continue;
    }
    if (call->sleeps_elsewhere()) seats_[from].worker->connection().nudge();
  }
  return !taken.empty();
}

}  // namespace bulkhead::pool
