// The operations of one execution context that wait for calls. A service of that context: when it
// ends, they go without having run, as Asio's own do.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "bulkhead/detail/operation.hpp"

namespace bulkhead::rpc {

using detail::Operation;
using detail::PendingOperation;

// Thread safe.
class ContextOperations {
 public:
  // Made with the first that is asked for.
  static std::shared_ptr<ContextOperations> of(boost::asio::execution_context& context);

  explicit ContextOperations(boost::asio::execution_context& context) : own_(context) {}

  // False: the context has ended.
  bool add(PendingOperation& pending, Operation& operation);
  // Null where another took it.
  Operation* take(PendingOperation& pending);
  // The same, for being posted: the context does not end until that is done.
  void post(PendingOperation& pending);
  // Destroys all.
  void end() noexcept;

 private:
  Operation* unlink(PendingOperation& pending);
  void post_to_io_context(Operation& operation);

  boost::asio::execution_context& own_;
  std::mutex mutex_;
  std::condition_variable posted_;
  // guarded by mutex_
  PendingOperation* first_ = nullptr;
  std::size_t posting_ = 0;
  bool ended_ = false;
};

}  // namespace bulkhead::rpc
