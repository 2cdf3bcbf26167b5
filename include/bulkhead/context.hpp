/// @file
/// What a handler is told besides its request.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/codec.hpp"
#include "bulkhead/detail/progress.hpp"

namespace bulkhead {

namespace detail {

// How a handler hears that its call is to end.
struct HandlerStop {
  using Time = std::chrono::steady_clock::time_point;

  // Tells tokens of it, too. Null: there are none.
  class Teller {
   public:
    virtual std::stop_token token() = 0;

   protected:
    ~Teller() = default;
  };

  const std::atomic<std::uint64_t>* word = nullptr;  // null: nobody asks
  std::uint64_t asked = 0;                           // what the word is then
  Teller* teller = nullptr;
  std::optional<Time> deadline = {};

  bool requested() const noexcept {
    return word != nullptr && word->load(std::memory_order_acquire) == asked;
  }
};

}  // namespace detail

/// A handler's view of the request it answers; valid while the handler runs; for a
/// coroutine until that is gone.
class Context {
 public:
  /// For the library, and for tests of handlers.
  explicit Context(std::uint64_t request_id, detail::HandlerBytes* bytes = nullptr,
                   const detail::HandlerStop& stop = {},
                   detail::HandlerProgress* progress = nullptr) noexcept
      : request_id_(request_id), bytes_(bytes), stop_(stop), progress_(progress) {}
  /// The call's number in the app: the same that errors and crash reports name.
  std::uint64_t request_id() const noexcept { return request_id_; }

  /// True once the caller does not want the answer any more, or its deadline has passed: throw, or
  /// answer anything, within `kill_grace`, or this process is killed. One load, to be called often.
  bool stop_requested() const noexcept { return stop_.requested(); }
  /// The same for what waits or has callbacks: these run on a thread of the library's, which the
  /// first token of a worker, or its first coroutine that waits, starts. Does nothing any more once
  /// the handler has returned.
  std::stop_token stop_token() const {
    return stop_.teller ? stop_.teller->token() : std::stop_token();
  }
  /// When the caller's patience ends, by RunOptions::timeout or run_timeout; empty if it does not.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept {
    return stop_.deadline;
  }

  /// Tells the caller, if it gave a function for it, how far the request is. Does not wait: where
  /// the app is slower, it gets the latest value only, that one for sure before the answer. Thread
  /// safe. Bytes in the value are copied. In tests of handlers it does nothing. Throws
  /// std::logic_error unless P is exactly the request's Progress, std::length_error for a value
  /// larger than `max_message`, and what packing it throws.
  template <class P>
  void progress(const P& value) {
    if (!progress_) return;
    if (typeid(P) != *progress_type_->type)
      detail::refuse_progress(*progress_type_, detail::type_name<P>());
    if (!progress_->wanted()) return;
    detail::Buffer packed;
    detail::encode(packed, value);
    progress_->send(std::move(packed));
  }

  /// A buffer to be filled in place and answered with, without copying it. The memory of one that
  /// the app has let go of is used again. Throws BytesExhausted.
  MutableBytes make_bytes(std::size_t size) {
    return bytes_ ? bytes_->make_bytes(size) : detail::make_own_bytes(size);
  }
  /// For the library.
  detail::BytesCarrier* carrier() const noexcept { return bytes_; }
  /// For the library, before the handler runs.
  void serves(const detail::ProgressType& type) noexcept { progress_type_ = &type; }

 private:
  std::uint64_t request_id_;
  detail::HandlerBytes* bytes_;
  detail::HandlerStop stop_;
  detail::HandlerProgress* progress_;
  const detail::ProgressType* progress_type_ = nullptr;  // set wherever progress_ is
};

}  // namespace bulkhead
