// Calls as Asio's asynchronous operations: a completion token says how the answer is had.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "bulkhead/detail/handler_operation.hpp"
#include "bulkhead/detail/recycled.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/run_options.hpp"

namespace bulkhead::detail {

template <class Response>
struct Completes {
  using Signature = void(std::exception_ptr, Response);
};
template <>
struct Completes<void> {
  using Signature = void(std::exception_ptr);
};

template <class Response>
struct AsyncCall {
  explicit AsyncCall(const RequestType& type) : call(type) { call.tell(pending); }

  // On the handler's executor.
  template <class Handler>
  void complete(Handler&& handler) {
    auto error = call.take_error();
    if constexpr (std::is_void_v<Response>)
      std::forward<Handler>(handler)(std::move(error));
    else if (error)
      std::forward<Handler>(handler)(std::move(error), Response{});
    else
      std::forward<Handler>(handler)(std::move(error), call.take());
  }

  TypedCall<Response> call;
  PendingOperation pending;
};

// What a cancellation slot is given. The types that come are what the caller agrees to.
struct Canceller {
  void operator()(boost::asio::cancellation_type types) const {
    using Type = boost::asio::cancellation_type;
    const auto call = weak.lock();
    const auto allows = [types](Type type) { return (types & type) != Type::none; };
    if (!call || types == Type::none) return;
    call->cancel(allows(Type::terminal)  ? Stop::terminal
                 : allows(Type::partial) ? Stop::partial
                                         : Stop::total);
  }
  std::weak_ptr<Call> weak;
};

// Makes the call when its token wants it to: at once, or when a coroutine awaits it.
template <class Response>
class AsyncRun {
 public:
  using executor_type = boost::asio::any_io_executor;

  AsyncRun(WorkerSet* workers, const RequestType& type) : workers_(workers), type_(&type) {}

  executor_type get_executor() const noexcept { return executor_of(workers_); }

  // Once it is handed over, the handler may run on another thread, and this object be gone, as what
  // it was given by reference may.
  template <class Handler, class Request>
  void operator()(Handler&& given, const Request& request,
                  const std::optional<RunOptions>& given_options) const {
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the other may be gone
    const std::optional<RunOptions> options = given_options;
    using Kept = std::decay_t<Handler>;
    Kept handler(std::forward<Handler>(given));
    WorkerSet* const workers = workers_;
    const auto both =
        std::allocate_shared<AsyncCall<Response>>(Recycled<AsyncCall<Response>>(), *type_);
    const std::shared_ptr<TypedCall<Response>> call(both, &both->call);
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign(Canceller{call});
    if (!expect(both, std::move(handler), executor_of(workers))) return;
    try {
      hand_over(call, workers, request, options ? &*options : nullptr);
    } catch (...) {
      both->pending.abandon();
      throw;
    }
  }

 private:
  WorkerSet* workers_;
  const RequestType* type_;
};

template <class Response, class Request, class Token>
auto async_run(WorkerSet* workers, const RequestType& type, Request request,
               std::optional<RunOptions> options, Token& token) {
  return boost::asio::async_initiate<Token, typename Completes<Response>::Signature>(
      AsyncRun<Response>(workers, type), token, std::move(request), std::move(options));
}

}  // namespace bulkhead::detail
