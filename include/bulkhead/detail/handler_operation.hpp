// The handler of an asynchronous operation, while it waits for an outcome: something with a
// PendingOperation `pending`, and `complete(handler)`, which is called on the handler's executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "bulkhead/detail/operation.hpp"
#include "bulkhead/detail/recycled.hpp"

namespace bulkhead::detail {

// In memory of the handler's allocator. The outcome lives elsewhere: the library may look at it for
// longer than that allocator is there.
template <class Outcome, class Handler, class Executor>
class HandlerOperation final : public Operation {
 public:
  using Allocator = boost::asio::associated_allocator_t<Handler, Recycled<std::byte>>;
  using OwnAllocator =
      typename std::allocator_traits<Allocator>::template rebind_alloc<HandlerOperation>;

  static Operation* make(Handler&& handler, Executor executor, std::shared_ptr<Outcome> outcome) {
    OwnAllocator allocator(allocator_of(handler));
    HandlerOperation* const memory = allocator.allocate(1);
    try {
      return ::new (memory)
          HandlerOperation(std::move(handler), std::move(executor), std::move(outcome));
    } catch (...) {
      allocator.deallocate(memory, 1);
      throw;
    }
  }

  void post() noexcept override {
    const Executor executor = work_.get_executor();
    boost::asio::post(executor, Posted(own()));
  }
  void run() override {
    Posted posted(own());
    posted();
  }
  void destroy() noexcept override { own(); }
  const std::type_info& executor_type() const noexcept override {
    if constexpr (!std::is_same_v<Allocator, Recycled<std::byte>>)
      return typeid(void);  // it is posted in memory of the handler's
    else if constexpr (std::is_same_v<Executor, boost::asio::any_io_executor>)
      return work_.get_executor().target_type();
    else
      return typeid(Executor);
  }

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
      const std::shared_ptr<Outcome> outcome = std::move(operation_->outcome_);
      operation_.reset();  // first: what the handler begins may use its memory
      outcome->complete(std::move(handler));
    }

   private:
    Owner operation_;
  };

  HandlerOperation(Handler&& handler, Executor executor, std::shared_ptr<Outcome> outcome)
      : handler_(std::move(handler)), work_(std::move(executor)), outcome_(std::move(outcome)) {}
  ~HandlerOperation() = default;

  static Allocator allocator_of(const Handler& handler) noexcept {
    return boost::asio::get_associated_allocator(handler, Recycled<std::byte>());
  }

  Handler handler_;
  boost::asio::executor_work_guard<Executor> work_;
  std::shared_ptr<Outcome> outcome_;
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

// From now on it waits for `outcome`, on its own executor or `usual`. False: its context has ended,
// and the handler with it.
template <class Outcome, class Handler>
[[nodiscard]] bool expect(const std::shared_ptr<Outcome>& outcome, Handler&& handler,
                          const boost::asio::any_io_executor& usual) {
  auto executor = boost::asio::get_associated_executor(handler, usual);
  auto* const context = context_of(executor);
  using Made = HandlerOperation<Outcome, Handler, decltype(executor)>;
  Operation* const operation =
      Made::make(std::forward<Handler>(handler), std::move(executor), outcome);
  return outcome->pending.expect(*operation, context);
}

}  // namespace bulkhead::detail
