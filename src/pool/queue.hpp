// The calls that wait for a worker, in their order: by priority, then as they came. Whose caller
// calls it off is withdrawn at once, though its place is taken away later: nobody looks for it.
// Lives under the lock of its owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "rpc/open_call.hpp"

namespace bulkhead::pool {

class Queue {
 public:
  // `mark`: what Call::at is for those in here.
  explicit Queue(std::uint32_t mark = detail::Call::queued) : mark_(mark) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const rpc::OpenCall& front() const { return lanes_.begin()->second.front(); }

  // Where there is no memory for one more, these throw, and `open` stays as it is.
  void push_back(rpc::OpenCall&& open) {
    put(*open.call, [&](Lane& lane) { lane.push_back(std::move(open)); });
  }
  // Before the others of its priority.
  void push_front(rpc::OpenCall&& open) {
    put(*open.call, [&](Lane& lane) { lane.push_front(std::move(open)); });
  }
  // The same in this order.
  void push_front(std::vector<rpc::OpenCall> calls) {
    for (auto open = calls.rbegin(); open != calls.rend(); ++open) push_front(std::move(*open));
  }
  rpc::OpenCall pop_front() {
    Lane& lane = lanes_.begin()->second;
    rpc::OpenCall open = std::move(lane.front());
    lane.pop_front();
    --size_;
    open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
    drop_withdrawn();
    return open;
  }
  // One that is in here; it is its caller's to settle.
  void withdraw(detail::Call& call) {
    call.at.store(detail::Call::nowhere, std::memory_order_relaxed);
    --size_;
    ++withdrawn_;
    if (withdrawn_ > few && withdrawn_ > size_) drop_all_withdrawn();
    drop_withdrawn();
  }
  std::deque<rpc::OpenCall> take_all() {
    std::deque<rpc::OpenCall> all;
    while (!empty()) all.push_back(pop_front());
    return all;
  }
  // Those of a key.
  std::vector<rpc::OpenCall> take_those_of(const detail::Key& key) {
    std::vector<rpc::OpenCall> taken;
    if (lanes_.empty()) return taken;
    drop_all_withdrawn();
    for (auto& [priority, lane] : lanes_) {
      const auto first = std::stable_partition(
          lane.begin(), lane.end(),
          [&](const rpc::OpenCall& open) { return open.call->key.get() != &key; });
      std::move(first, lane.end(), std::back_inserter(taken));
      lane.erase(first, lane.end());
    }
    for (const auto& open : taken)
      open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
    size_ -= taken.size();
    drop_withdrawn();
    return taken;
  }
  // In two queues: whose turn is first.
  static bool goes_before(const rpc::OpenCall& one, const rpc::OpenCall& other) {
    const int first = one.call->priority, second = other.call->priority;
    return first != second ? first > second : one.id < other.id;
  }
  // As they came, after some were put back.
  void restore_order() {
    drop_all_withdrawn();
    for (auto& [priority, lane] : lanes_) std::sort(lane.begin(), lane.end(), goes_before);
  }

 private:
  using Lane = std::deque<rpc::OpenCall>;
  static constexpr std::size_t few = 16;

  template <class Put>
  void put(detail::Call& call, Put put_into) {
    const auto [lane, is_new] = lanes_.try_emplace(call.priority);
    try {
      put_into(lane->second);
    } catch (...) {
      if (is_new) lanes_.erase(lane);
      throw;
    }
    call.at.store(mark_, std::memory_order_relaxed);
    ++size_;
    drop_withdrawn();
  }
  bool is_withdrawn(const rpc::OpenCall& open) const {
    return open.call->at.load(std::memory_order_relaxed) != mark_;
  }
  void drop_all_withdrawn() {
    const auto withdrawn = [this](const rpc::OpenCall& open) { return is_withdrawn(open); };
    for (auto& [priority, lane] : lanes_) withdrawn_ -= std::erase_if(lane, withdrawn);
  }
  // From the front on. The last lane stays: pools without priorities make it once.
  void drop_withdrawn() {
    for (;;) {
      Lane& first = lanes_.begin()->second;
      for (; withdrawn_ > 0 && !first.empty() && is_withdrawn(first.front()); --withdrawn_)
        first.pop_front();
      if (!first.empty() || lanes_.size() == 1) return;
      lanes_.erase(lanes_.begin());
    }
  }

  const std::uint32_t mark_;
  // By priority; the first call of the first is not withdrawn.
  std::map<int, Lane, std::greater<>> lanes_;
  std::size_t size_ = 0;
  std::size_t withdrawn_ = 0;  // those that have their places still
};

}  // namespace bulkhead::pool
