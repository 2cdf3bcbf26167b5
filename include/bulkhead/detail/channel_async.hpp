// Sending and receiving as Asio's asynchronous operations.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "bulkhead/detail/channel_end.hpp"
#include "bulkhead/detail/channel_item.hpp"
#include "bulkhead/detail/handler_operation.hpp"

namespace bulkhead::detail {

// What both have. It keeps the end until it has begun: dropping the end then ends it.
struct AsyncOnChannel {
  std::shared_ptr<ChannelEnd> end;
  std::weak_ptr<ChannelEnd> begun_on = {};
  ChannelOperation operation = {};
  bool begun = false;
};

struct AsyncSend : AsyncOnChannel {
  using Signature = void(std::exception_ptr);
  template <class Handler>
  void complete(Handler&& handler) {
    std::forward<Handler>(handler)(std::move(operation.error));
  }
};

template <class T>
struct AsyncReceive : AsyncOnChannel {
  using Signature = void(std::exception_ptr, std::optional<T>);
  // Unpacks it on the handler's executor.
  template <class Handler>
  void complete(Handler&& handler) {
    std::optional<T> item;
    if (!operation.error && operation.got == Got::item) {
      try {
        item = unpack_item<T>(begun_on.lock().get(), operation.item);
      } catch (...) {
        operation.error = std::current_exception();
      }
    }
    std::forward<Handler>(handler)(std::move(operation.error), std::move(item));
  }
};

// Begins when its token wants it to.
template <class State>
class BeginChannelOperation {
 public:
  using executor_type = boost::asio::any_io_executor;
  explicit BeginChannelOperation(std::shared_ptr<State> state) : state_(std::move(state)) {}
  executor_type get_executor() const noexcept { return executor_of(nullptr); }

  // It may be settled, the handler have run on another thread, and this be gone, before this
  // returns.
  template <class Handler>
  void operator()(Handler&& given) const {
    const std::shared_ptr<State> state = std::exchange(state_->begun, true) ? spent() : state_;
    using Kept = std::decay_t<Handler>;
    Kept handler(std::forward<Handler>(given));
    const std::shared_ptr<ChannelOperation> operation(state, &state->operation);
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
      slot.assign([weak = std::weak_ptr(state)](boost::asio::cancellation_type types) {
        const auto there = weak.lock();
        const auto end = there ? there->begun_on.lock() : nullptr;
        if (end && types != boost::asio::cancellation_type::none)
          end->cancel({there, &there->operation});
      });
    auto executor = boost::asio::get_associated_executor(handler, executor_of(nullptr));
    auto* const context = context_of(executor);
    using Made = HandlerOperation<State, Kept, decltype(executor)>;
    Operation* const made = Made::make(std::move(handler), std::move(executor), state);
    if (!operation->pending.expect(*made, context)) return;
    if (operation->error) return operation->pending.call_settled();
    const auto end = std::move(state->end);
    state->begun_on = end;
    try {
      end->begin(operation);
    } catch (...) {
      operation->error = std::current_exception();
      operation->pending.call_settled();
    }
  }

 private:
  // A deferred operation is begun once.
  static std::shared_ptr<State> spent() {
    auto state = std::make_shared<State>();
    state->operation.error =
        std::make_exception_ptr(std::logic_error("this operation of a channel was begun before"));
    return state;
  }

  std::shared_ptr<State> state_;
};

template <class State, class Token>
auto begin_channel_operation(std::shared_ptr<State> state, Token& token) {
  return boost::asio::async_initiate<Token, typename State::Signature>(
      BeginChannelOperation<State>(std::move(state)), token);
}

}  // namespace bulkhead::detail
