// Other people's completion handlers, each with what it takes to run it once, where it wants to be.
#pragma once

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "bulkhead/detail/operation.hpp"
#include "bulkhead/detail/recycled.hpp"

namespace bulkhead::detail {

// In memory of the handler's allocator. What it completes with lives elsewhere: the library may
// look at that for longer than the allocator is there. State::complete(handler) runs on the
// executor.
template <class State, class Handler, class Executor>
class HandlerOperation final : public Operation {
 public:
  using Allocator = boost::asio::associated_allocator_t<Handler, Recycled<std::byte>>;
  using OwnAllocator =
      typename std::allocator_traits<Allocator>::template rebind_alloc<HandlerOperation>;

  static Operation* make(Handler&& handler, Executor executor, std::shared_ptr<State> state) {
    OwnAllocator allocator(allocator_of(handler));
    HandlerOperation* const memory = allocator.allocate(1);
    try {
      return ::new (memory)
          HandlerOperation(std::move(handler), std::move(executor), std::move(state));
    } catch (...) {
      allocator.deallocate(memory, 1);
      throw;
    }
  }

  void post() noexcept override {
    const Executor executor = work_.get_executor();
    boost::asio::post(executor, Posted(own()));
  }
  void destroy() noexcept override { own(); }

 private:
  // The allocator is asked for while the handler has it.
  struct Delete {
    OwnAllocator allocator;
    void operator()(HandlerOperation* operation) noexcept {
      operation->~HandlerOperation();
      allocator.deallocate(operation, 1);
    }
  };
  using Owner = std::unique_ptr<HandlerOperation, Delete>;
  Owner own() noexcept { return Owner(this, {OwnAllocator(allocator_of(handler_))}); }

  // What an executor is given: it runs it or destroys it.
  class Posted {
   public:
    using allocator_type = Allocator;
    explicit Posted(Owner operation) noexcept : operation_(std::move(operation)) {}
    allocator_type get_allocator() const noexcept {
      return allocator_type(operation_.get_deleter().allocator);
    }
    void operator()() {
      Handler handler(std::move(operation_->handler_));
      const std::shared_ptr<State> state = std::move(operation_->state_);
      operation_.reset();  // first: what the handler begins may use its memory
      state->complete(std::move(handler));
    }

   private:
    Owner operation_;
  };

  HandlerOperation(Handler&& handler, Executor executor, std::shared_ptr<State> state)
      : handler_(std::move(handler)), work_(std::move(executor)), state_(std::move(state)) {}
  ~HandlerOperation() = default;

  static Allocator allocator_of(const Handler& handler) noexcept {
    return boost::asio::get_associated_allocator(handler, Recycled<std::byte>());
  }

  Handler handler_;
  boost::asio::executor_work_guard<Executor> work_;
  std::shared_ptr<State> state_;
};

// The execution context behind an executor, if it has one.
template <class Executor>
boost::asio::execution_context* context_of(const Executor& executor) {
  using Context = boost::asio::execution::context_as_t<boost::asio::execution_context&>;
  if constexpr (boost::asio::can_query_v<const Executor&, Context>)
    return &boost::asio::query(executor, Context());
  else
    return nullptr;
}

}  // namespace bulkhead::detail
