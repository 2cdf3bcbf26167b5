// The calls that wait for a worker, in their order. Whose caller calls it off is withdrawn at once,
// though its place is taken away later: nobody looks for it. Lives under the lock of its owner.
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include "rpc/open_call.hpp"

namespace bulkhead::pool {

class Queue {
 public:
  bool empty() const { return calls_.empty(); }
  std::size_t size() const { return calls_.size() - withdrawn_; }
  const rpc::OpenCall& front() const { return calls_.front(); }

  void push_back(rpc::OpenCall open) {
    note(open);
    calls_.push_back(std::move(open));
  }
  void push_front(rpc::OpenCall open) {
    note(open);
    calls_.push_front(std::move(open));
  }
  // In front of the others, in this order.
  void push_front(std::vector<rpc::OpenCall> calls) {
    for (const auto& open : calls) note(open);
    calls_.insert(calls_.begin(), std::make_move_iterator(calls.begin()),
                  std::make_move_iterator(calls.end()));
  }
  rpc::OpenCall pop_front() {
    rpc::OpenCall open = std::move(calls_.front());
    calls_.pop_front();
    open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
    drop_withdrawn();
    return open;
  }
  // One that is in here; it is its caller's to settle.
  void withdraw(detail::Call& call) {
    call.at.store(detail::Call::nowhere, std::memory_order_relaxed);
    ++withdrawn_;
    if (withdrawn_ > few && withdrawn_ > calls_.size() / 2)
      withdrawn_ -= std::erase_if(calls_, is_withdrawn);
    drop_withdrawn();
  }
  std::deque<rpc::OpenCall> take_all() {
    std::erase_if(calls_, is_withdrawn);
    withdrawn_ = 0;
    for (auto& open : calls_) open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
    return std::exchange(calls_, {});
  }

 private:
  static constexpr std::size_t few = 16;

  static void note(const rpc::OpenCall& open) {
    open.call->at.store(detail::Call::queued, std::memory_order_relaxed);
  }
  static bool is_withdrawn(const rpc::OpenCall& open) {
    return open.call->at.load(std::memory_order_relaxed) != detail::Call::queued;
  }
  void drop_withdrawn() {
    for (; withdrawn_ > 0 && is_withdrawn(calls_.front()); --withdrawn_) calls_.pop_front();
  }

  std::deque<rpc::OpenCall> calls_;  // the first one is not withdrawn
  std::size_t withdrawn_ = 0;
};

}  // namespace bulkhead::pool
