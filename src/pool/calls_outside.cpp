// Calls for which the queue has no room: they fail, or their threads wait outside. A thread sleeps
// at its call's own place (Call::at), and whoever lets the call in, or turns it away, changes that.
#include <algorithm>

#include "bulkhead/run_options.hpp"
#include "platform/futex.hpp"
#include "pool/calls.hpp"
#include "reactor/reactor.hpp"

namespace bulkhead::pool {

void Calls::without_room(const std::shared_ptr<detail::Call>& call, const RunOptions* options,
                         Lock lock) {
  if (!limits_.queue_wait || reactor::Reactor::is_this_thread()) {
    lock.unlock();
    return turn_away(*call, queue_full(false));
  }
  call->at.store(detail::Call::outside, std::memory_order_relaxed);
  outside_.push_back(call);
  const auto look_at = call->steering ? watch(call) : std::nullopt;
  const bool waiting_is_news = some_wait_now();
  lock.unlock();
  if (waiting_is_news) tell_waiting();
  if (look_at) tell_deadline(*look_at);
  if (options) detail::follow(call, options->stop);
  wait_for_room(call);
}

void Calls::wait_for_room(const std::shared_ptr<detail::Call>& call) {
  const auto now = Clock::now();
  Deadline end;  // none, where the clock does not reach so far
  if (*limits_.queue_wait < Clock::time_point::max() - now) end = now + *limits_.queue_wait;
  constexpr auto outside = detail::Call::outside;
  while (call->at.load(std::memory_order_acquire) == outside) {
    if (platform::futex_wait(call->at, outside, end)) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!leave_outside(*call)) return;  // it has just been let in, or turned away
    }
    return turn_away(*call, queue_full(true));
  }
}

// The first of them, if there is room by now.
bool Calls::let_in() {
  if (!has_room_for(*outside_.front())) return false;
  const auto call = std::move(outside_.front());
  outside_.pop_front();
  put_last(open_call(std::shared_ptr(call)));
  platform::futex_wake_all(call->at);
  return true;
}

// False where it is not outside any more.
bool Calls::leave_outside(detail::Call& call) {
  const auto is_it = [&](const auto& other) { return other.get() == &call; };
  if (std::erase_if(outside_, is_it) == 0) return false;
  call.at.store(detail::Call::nowhere, std::memory_order_relaxed);
  platform::futex_wake_all(call.at);
  return true;
}

std::deque<std::shared_ptr<detail::Call>> Calls::empty_outside() {
  for (const auto& call : outside_) {
    call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
    platform::futex_wake_all(call->at);
  }
  return std::exchange(outside_, {});
}

// It was never taken: counted as failed, and not as settled.
void Calls::turn_away(detail::Call& call, std::exception_ptr why) {
  ++failed_;
  if (limits_.events) tell_settled(call, {}, why);
  call.settle(std::move(why));
}

void Calls::turn_away(detail::Call& call, const Error& why) {
  turn_away(call, std::make_exception_ptr(why));
}

Error Calls::queue_full(bool waited) const {
  return Error(
      errc::queue_full,
      "the " + service_ + " queue is full: " + std::to_string(limits_.queue) +
          " calls wait for a worker (queue_limit)" +
          (waited ? ", and there was no room within " +
                        std::to_string(limits_.queue_wait->count() / 1'000'000) + " ms (queue_wait)"
                  : ""));
}

}  // namespace bulkhead::pool
