// The answer to a call, now or later. Every future becomes ready, whatever dies or shuts down.
// A Future belongs to one thread at a time; different futures are independent.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "bulkhead/detail/call.hpp"

namespace bulkhead {

template <class T>
class Future {
 public:
  Future() = default;
  explicit Future(std::shared_ptr<detail::TypedCall<T>> call) noexcept : call_(std::move(call)) {}

  // Waits for the answer and takes it. Throws Error if the call failed, and what the response's own
  // constructors throw. A second get() throws std::future_error(no_state).
  T get() {
    const auto call = std::move(call_);
    require(call);
    call->wait();
    call->throw_if_failed();
    return call->take();
  }

  // True when the answer, or the failure, is there within `duration`.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> duration) const {
    require(call_);
    using clock = std::chrono::steady_clock;
    const auto now = clock::now();
    // A duration beyond the clock's range means for ever.
    if (std::chrono::duration<double>(duration) >= clock::time_point::max() - now)
      return call_->wait();
    return call_->wait(now + std::chrono::ceil<clock::duration>(duration));
  }

  // True when get() will not wait. Costs one load.
  bool ready() const {
    require(call_);
    return call_->ready();
  }

  // False when default constructed, moved from, or got.
  bool valid() const noexcept { return call_ != nullptr; }

 private:
  static void require(const std::shared_ptr<detail::TypedCall<T>>& call) {
    if (!call) throw std::future_error(std::future_errc::no_state);
  }

  std::shared_ptr<detail::TypedCall<T>> call_;
};

}  // namespace bulkhead
