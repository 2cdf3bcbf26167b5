/// @file
/// The answer to a call, now or later. Every future becomes ready, whatever dies or shuts down.
/// A Future belongs to one thread at a time; different futures are independent.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "bulkhead/detail/call.hpp"

namespace bulkhead {

/// The answer to a call, of type T, or void. Movable, not copyable. It does not own its call: one
/// whose future is dropped runs all the same, and nobody hears of its progress or end. A future may
/// outlive its pool; it is settled by then.
template <class T>
class Future {
 public:
  /// Not valid(): get(), wait_for() and ready() throw std::future_error(no_state).
  Future() = default;
  /// For the library: the future of `call`.
  explicit Future(std::shared_ptr<detail::TypedCall<T>> call) noexcept : call_(std::move(call)) {}
  /// The other one is then not valid().
  Future(Future&& other) noexcept = default;
  /// What this one was for is dropped.
  Future& operator=(Future&& other) noexcept {
    Future(std::move(other)).call_.swap(call_);
    return *this;
  }
  ~Future() {
    if (call_) call_->close_progress();
  }

  /// Waits for the answer and takes it; afterwards this is not valid(). Throws Error if the call
  /// failed, and what the response's own constructors throw. A second get() throws
  /// std::future_error(no_state). While it waits, this thread may also receive answers for others.
  T get() {
    const auto call = std::move(call_);
    require(call);
    call->wait();
    call->throw_if_failed();
    return call->take();
  }

  /// True when the answer, or the failure, is there within `duration`; it stays for get(). A zero
  /// or negative duration only looks. One beyond the clock's range means for ever.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> duration) const {
    require(call_);
    if (!(duration > duration.zero())) return call_->ready_or_lost();
    using clock = std::chrono::steady_clock;
    const auto now = clock::now();
    // A duration beyond the clock's range means for ever.
    if (std::chrono::duration<double>(duration) >= clock::time_point::max() - now)
      return call_->wait();
    return call_->wait(now + std::chrono::ceil<clock::duration>(duration));
  }

  /// True when get() will not wait. Costs a load or two.
  bool ready() const {
    require(call_);
    return call_->ready_or_lost();
  }

  /// Calls it off: it ends with errc::cancelled, at once if no worker has begun it, else as
  /// RunOptions says. Nothing where it has ended. Does not wait.
  void cancel() {
    require(call_);
    call_->cancel(detail::Stop::partial);
  }

  /// False when default constructed, moved from, or got.
  bool valid() const noexcept { return call_ != nullptr; }

 private:
  static void require(const std::shared_ptr<detail::TypedCall<T>>& call) {
    if (!call) throw std::future_error(std::future_errc::no_state);
  }

  std::shared_ptr<detail::TypedCall<T>> call_;
};

}  // namespace bulkhead
