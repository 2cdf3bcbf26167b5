// An asynchronous operation, seen from its end: the handler that waits for it belongs to an
// execution context, and may not outlive that.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <memory>
#include <typeinfo>

#include "bulkhead/detail/completion.hpp"
#include "bulkhead/detail/export.hpp"

namespace bulkhead::rpc {

// The operations of one execution context.
class ContextOperations;

}  // namespace bulkhead::rpc

namespace bulkhead::detail {

class WorkerSet;

// The caller's part: a handler, where it is to run, and what that takes.
class Operation {
 public:
  // One of these, once. Posts itself to its executor, which ends the process if it cannot take it:
  // there is nobody else to tell.
  virtual void post() noexcept = 0;
  // For whoever has posted it instead, from there.
  virtual void run() = 0;
  // Without having run.
  virtual void destroy() noexcept = 0;

  // Of the executor itself, where that is wrapped; void, where only post() knows how it is posted.
  virtual const std::type_info& executor_type() const noexcept = 0;

 protected:
  ~Operation() = default;
};

// The library's part: has the operation until it completes, as when its call is settled, or its
// context ends. Whichever comes first takes it out. Thread safe.
class BULKHEAD_API PendingOperation final : public Completion {
 public:
  PendingOperation() = default;
  PendingOperation(const PendingOperation&) = delete;
  PendingOperation& operator=(const PendingOperation&) = delete;

  // Null: an executor without a context. False: it has ended, and the operation with it. So has the
  // operation where this throws.
  [[nodiscard]] bool expect(Operation& operation, boost::asio::execution_context* context);
  // There is nothing to wait for.
  void abandon() noexcept;
  // Its outcome is there.
  void complete() noexcept;
  void call_settled() noexcept override { complete(); }

 private:
  friend class rpc::ContextOperations;

  std::shared_ptr<rpc::ContextOperations> context_;
  // guarded by the context's lock, if there is one
  Operation* operation_ = nullptr;
  PendingOperation *previous_ = nullptr, *next_ = nullptr;
  bool is_for_io_context_ = false;  // constant once it waits: its executor is just that
};

// Where handlers run that do not say where. Without workers: on this process's reactor.
BULKHEAD_API boost::asio::any_io_executor executor_of(const WorkerSet* workers);

}  // namespace bulkhead::detail
