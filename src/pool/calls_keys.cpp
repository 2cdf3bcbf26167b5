// Where calls wait: those of a key for its worker alone, once it has one, those that only one
// worker may run for that one, all others in the queue. A worker that calls are kept for gets none
// ahead, so that their turn comes when it is theirs.
#include <utility>

#include "pool/calls.hpp"

namespace bulkhead::pool {

// The calls of a key stay in order: while some wait among all others, so does what comes. One that
// must run alone is not kept for a worker that runs several at once, but holds up all.
void Calls::put_last(rpc::OpenCall&& open) {
  if (const auto only = only_home(*open.call)) return keep_last(*only, std::move(open));
  if (!open.call->key) return queue_.push_back(std::move(open));
  const auto home = open.call->key->queued == 0 ? home_of(open) : std::nullopt;
  if (home) return keep_last(*home, std::move(open));
  ++open.call->key->queued;
  queue_.push_back(std::move(open));
}

void Calls::put_first(rpc::OpenCall&& open) {
  if (const auto only = only_home(*open.call)) return keep_first(*only, std::move(open));
  if (!open.call->key) return queue_.push_front(std::move(open));
  if (const auto home = home_of(open)) return keep_first(*home, std::move(open));
  const auto key = open.call->key;
  queue_.push_front(std::move(open));
  ++key->queued;
}

rpc::OpenCall Calls::take_first() {
  rpc::OpenCall open = queue_.pop_front();
  if (open.call->key) --open.call->key->queued;
  return open;
}

// False where it does not wait.
bool Calls::withdraw(detail::Call& call, std::uint32_t at) {
  if (at == detail::Call::kept) {
    const Member home = call.only_for != 0 ? *only_home(call) : *keys_.home(*call.key);
    seats_[home].own.withdraw(call);
    --kept_;
    unreserve_if_done(home);
    return true;
  }
  if (at != detail::Call::queued) return false;
  queue_.withdraw(call);
  if (call.key) --call.key->queued;
  return true;
}

std::optional<Calls::Member> Calls::only_home(const detail::Call& call) const {
  if (call.only_for == 0) return std::nullopt;
  for (Member member = 0; member < seats_.size(); ++member) {
    const Worker& worker = seats_[member].worker;
    if (worker && worker->number() == call.only_for) return member;
  }
  return std::nullopt;
}

std::vector<std::uint64_t> Calls::ready_workers() const {
  std::vector<std::uint64_t> numbers;
  const std::lock_guard lock(mutex_);
  for (Member member = 0; member < seats_.size(); ++member)
    if (schedule_.present(member) && !schedule_.is_retired(member))
      numbers.push_back(seats_[member].worker->number());
  return numbers;
}

// Which worker it may be kept for.
std::optional<Calls::Member> Calls::home_of(const rpc::OpenCall& open) const {
  const auto home = keys_.home(*open.call->key);
  return home && may_be_kept(open, *home) ? home : std::nullopt;
}

bool Calls::may_be_kept(const rpc::OpenCall& open, Member member) const {
  return !open.life.must_run_alone() || schedule_.runs_one_by_one(member);
}

// For the first that waits: the worker that it is to be given to, or kept for.
std::optional<Calls::Member> Calls::taker_of(const rpc::OpenCall& open) const {
  using Run = Schedule::Run;
  const Run run = open.life.must_run_alone() ? Run::alone : Run::beside_others;
  const auto home = open.call->key ? keys_.home(*open.call->key) : std::nullopt;
  if (!home) return schedule_.pick(run);
  return may_be_kept(open, *home) || schedule_.takes(*home, run) ? home : std::nullopt;
}

void Calls::hand_over(Member member, rpc::OpenCall&& open) {
  if (open.call->key) {
    keys_.settle(*open.call->key, member);
    const bool waits = may_be_kept(open, member) && !schedule_.has_free_thread(member);
    if (waits) return keep_last(member, std::move(open));
  }
  if (give(member, std::move(open))) seats_[member].worker->connection().ring();
}

// One whose worker has a thread free, and whose turn it is.
bool Calls::give_kept() {
  for (Member member = 0; member < seats_.size(); ++member) {
    Queue& own = seats_[member].own;
    if (own.empty() || !schedule_.has_free_thread(member)) continue;
    if (!queue_.empty() && Queue::goes_before(queue_.front(), own.front())) continue;
    rpc::OpenCall open = own.pop_front();
    --kept_;
    unreserve_if_done(member);
    if (give(member, std::move(open))) seats_[member].worker->connection().ring();
    return true;
  }
  return false;
}

// Before it leaves.
void Calls::give_all_kept(Member member) {
  Queue& own = seats_[member].own;
  for (; !own.empty(); --kept_)
    if (give(member, own.pop_front())) seats_[member].worker->connection().ring();
}

void Calls::keep_last(Member member, rpc::OpenCall&& open) {
  reserve(member).push_back(std::move(open));
  ++kept_;
}

void Calls::keep_first(Member member, rpc::OpenCall&& open) {
  reserve(member).push_front(std::move(open));
  ++kept_;
}

// What it has not begun goes to others: it was given ahead.
Queue& Calls::reserve(Member member) {
  Queue& own = seats_[member].own;
  if (!own.empty()) return own;
  schedule_.reserve(member, true);
  if (const std::size_t waiting = schedule_.waiting(member)) take_back(member, waiting);
  return own;
}

void Calls::unreserve_if_done(Member member) {
  if (seats_[member].own.empty()) schedule_.reserve(member, false);
}

// It leaves, or has died: its keys' calls go to whoever takes the next of them.
void Calls::move_keys_from(Member member) {
  keys_.left(member);
  Queue& own = seats_[member].own;
  auto calls = own.take_all();
  kept_ -= calls.size();
  schedule_.reserve(member, false);
  for (auto open = calls.rbegin(); open != calls.rend(); ++open) {
    if (open->call->only_for == 0) {
      put_first(std::move(*open));
    } else {  // nobody else may run it
      own.push_front(std::move(*open));
      ++kept_;
    }
  }
}

std::deque<rpc::OpenCall> Calls::take_all_waiting() {
  std::deque<rpc::OpenCall> all;
  for (Member member = 0; member < seats_.size(); ++member) {
    move_keys_from(member);
    for (auto& open : seats_[member].own.take_all()) {
      all.push_back(std::move(open));
      --kept_;
    }
  }
  while (!queue_.empty()) all.push_back(take_first());
  return all;
}

}  // namespace bulkhead::pool
