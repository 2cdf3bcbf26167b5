/// @file
/// How calls are made: what Pool and Worker have in common.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/async_run.hpp"
#include "bulkhead/detail/mapped.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/future.hpp"
#include "bulkhead/run_options.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead {

/// How Caller::map goes about it.
struct MapOptions {
  /// How many calls are open at most. Take at least as many as there are workers, and no more than
  /// the queue has room for. 0: 64.
  std::size_t ahead = 0;
  /// Of each call.
  RunOptions run = {};
};

/// Makes calls of the service S: a Pool or a Worker. Thread safe. One that is empty, or was moved
/// from, has no workers, and its calls fail with errc::shut_down.
template <class S>
class Caller {
 public:
  /// Packs the request on the calling thread, queues it, and returns without waiting for an answer.
  /// It waits for room in a pool's queue if OnFull::wait says so, and never else.
  /// Never throws Error: every failure arrives through the future.
  template <RequestOf<S> R>
  Future<ResponseOf<R>> run(R request) {
    return detail::run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request);
  }
  /// The same within limits. Throws what copying the token's state throws.
  template <RequestOf<S> R>
  Future<ResponseOf<R>> run(R request, const RunOptions& options) {
    return detail::run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request,
                                      &options);
  }
  /// The same for a request with a `using Progress = P;`: what its handler tells meanwhile is given
  /// to `on_progress`, in order, and where that is slower than the handler, the latest only; the
  /// last one for sure before the future is ready, and none after that, nor once the future is
  /// dropped or cancelled. It runs on the library's own thread, one at a time, and must not block:
  /// all else waits. What it throws is logged. A call that is tried again begins anew.
  template <RequestOf<S> R>
  Future<ResponseOf<R>> run(R request, const RunOptions& options,
                            std::function<void(typename R::Progress)> on_progress) {
    return detail::run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request, &options,
                                      detail::progress_box(std::move(on_progress)));
  }

  /// The same as an asynchronous operation of Asio, for any of its completion tokens: a callback,
  /// use_future, use_awaitable, deferred and what is made of them. It completes once, with
  /// (std::exception_ptr, Response), for void with (std::exception_ptr); the response is an empty
  /// one where the call failed. Never throws Error. The handler is posted to its executor, where it
  /// has none to the `executor` of the options, and never runs inside this function. It may run
  /// after the workers have ended; one whose execution context ends before its call is destroyed
  /// without having run. Its allocator and cancellation slot are used. Cancelled with `terminal`
  /// the operation completes at once, with `partial` as by Future::cancel, with `total` only where
  /// no worker has begun the call.
  template <RequestOf<S> R, class Token>
  auto async_run(R request, Token&& token) {
    return detail::async_run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>,
                                            std::move(request), {}, token);
  }
  /// The same within limits.
  template <RequestOf<S> R, class Token>
  auto async_run(R request, RunOptions options, Token&& token) {
    return detail::async_run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>,
                                            std::move(request), std::move(options), token);
  }

  /// Calls all requests of a range, at most `ahead` of them at a time, and gives a range of their
  /// responses, in order, which goes on calling as it is read: `for (Image& image :
  /// pool.map(requests))`. To be read once; this must outlive it. The first error is thrown where
  /// its response would be, and ends the range: what else is open is called off, as it is when the
  /// range is destroyed before its end. Not for responses that are void: see map_futures.
  template <std::ranges::input_range Requests>
  requires RequestOf<std::ranges::range_value_t<Requests>, S> &&
      (!std::is_void_v<ResponseOf<std::ranges::range_value_t<Requests>>>)auto map(
          Requests&& requests, MapOptions options = {}) {
    return mapped(std::forward<Requests>(requests), std::move(options),
                  [](auto future) { return future.get(); });
  }
  /// The same with a future for each, which is ready: get() gives its response or throws its error,
  /// and the others go on.
  template <std::ranges::input_range Requests>
  requires RequestOf<std::ranges::range_value_t<Requests>, S>
  auto map_futures(Requests&& requests, MapOptions options = {}) {
    return mapped(std::forward<Requests>(requests), std::move(options), [](auto future) {
      static_cast<void>(future.wait_for(std::chrono::nanoseconds::max()));
      return future;
    });
  }

  /// A buffer to be filled in place and sent, in a request made here, without copying it. The
  /// memory of one that was sent and let go of is used again. Throws BytesExhausted. Thread safe.
  MutableBytes make_bytes(std::size_t size) { return detail::make_bytes(workers_.get(), size); }

  /// @cond
 protected:
  Caller() = default;
  explicit Caller(std::unique_ptr<detail::WorkerSet> workers) : workers_(std::move(workers)) {}
  Caller(Caller&&) noexcept = default;
  Caller& operator=(Caller&&) noexcept = default;
  ~Caller() = default;

  std::unique_ptr<detail::WorkerSet> workers_;

 private:
  template <class Requests, class Take>
  auto mapped(Requests&& requests, MapOptions options, Take take) {
    using Request = std::ranges::range_value_t<Requests>;
    constexpr std::size_t usual = 64;
    const std::size_t ahead = options.ahead > 0 ? options.ahead : usual;
    auto make = [this, run = std::move(options.run)](Request request) {
      return this->run(std::move(request), run);
    };
    return detail::Mapped<Requests, decltype(make), Take>(std::forward<Requests>(requests),
                                                          std::move(make), ahead, std::move(take));
  }
  /// @endcond
};

}  // namespace bulkhead
