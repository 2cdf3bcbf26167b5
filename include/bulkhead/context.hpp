/// @file
/// What a handler is told besides its request.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "bulkhead/bytes.hpp"

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

/// A handler's view of the request it answers; valid while the handler runs.
class Context {
 public:
  /// For the library, and for tests of handlers.
  explicit Context(std::uint64_t request_id, detail::HandlerBytes* bytes = nullptr,
                   const detail::HandlerStop& stop = {}) noexcept
      : request_id_(request_id), bytes_(bytes), stop_(stop) {}
  /// The call's number in the app: the same that errors and crash reports name.
  std::uint64_t request_id() const noexcept { return request_id_; }

  /// True once the caller does not want the answer any more, or its deadline has passed: throw, or
  /// answer anything, within `kill_grace`, or this process is killed. One load, to be called often.
  bool stop_requested() const noexcept { return stop_.requested(); }
  /// The same for what waits or has callbacks: these run on a thread of the library's, which the
  /// first token of a worker starts. Does nothing any more once the handler has returned.
  std::stop_token stop_token() const {
    return stop_.teller ? stop_.teller->token() : std::stop_token();
  }
  /// When the caller's patience ends, by RunOptions::timeout or run_timeout; empty if it does not.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept {
    return stop_.deadline;
  }

  /// A buffer to be filled in place and answered with, without copying it. The memory of one that
  /// the app has let go of is used again. Throws BytesExhausted.
  MutableBytes make_bytes(std::size_t size) {
    return bytes_ ? bytes_->make_bytes(size) : detail::make_own_bytes(size);
  }
  /// For the library.
  detail::BytesCarrier* carrier() const noexcept { return bytes_; }

 private:
  std::uint64_t request_id_;
  detail::HandlerBytes* bytes_;
  detail::HandlerStop stop_;
};

}  // namespace bulkhead
