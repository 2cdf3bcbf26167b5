#include "rpc/context_operations.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "bulkhead/detail/recycled.hpp"

namespace bulkhead::rpc {

namespace {

class Service final : public boost::asio::execution_context::service {
 public:
  using key_type = Service;
  static inline boost::asio::execution_context::id id;

  explicit Service(boost::asio::execution_context& context)
      : boost::asio::execution_context::service(context),
        operations_(std::make_shared<ContextOperations>(context)) {}
  ~Service() override { operations_->end(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const std::shared_ptr<ContextOperations>& operations() const { return operations_; }

 private:
  void shutdown() override { operations_->end(); }

  // Shared with those that are in it: they may hear of their end after the context's.
  const std::shared_ptr<ContextOperations> operations_;
};

// What an io_context is given: it runs it or destroys it.
class Posted {
 public:
  using allocator_type = detail::Recycled<std::byte>;
  explicit Posted(Operation& operation) noexcept : operation_(&operation) {}
  allocator_type get_allocator() const noexcept { return {}; }
  void operator()() { operation_.release()->run(); }

 private:
  struct Destroy {
    void operator()(Operation* operation) noexcept { operation->destroy(); }
  };
  std::unique_ptr<Operation, Destroy> operation_;
};

}  // namespace

std::shared_ptr<ContextOperations> ContextOperations::of(boost::asio::execution_context& context) {
  return boost::asio::use_service<Service>(context).operations();
}

bool ContextOperations::add(PendingOperation& pending, Operation& operation) {
  pending.is_for_io_context_ =
      operation.executor_type() == typeid(boost::asio::io_context::executor_type);
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  pending.operation_ = &operation;
  pending.next_ = first_;
  if (first_) first_->previous_ = &pending;
  first_ = &pending;
  return true;
}

Operation* ContextOperations::take(PendingOperation& pending) {
  const std::lock_guard lock(mutex_);
  return unlink(pending);
}

Operation* ContextOperations::unlink(PendingOperation& pending) {
  if (!pending.operation_) return nullptr;
  (pending.previous_ ? pending.previous_->next_ : first_) = pending.next_;
  if (pending.next_) pending.next_->previous_ = pending.previous_;
  return std::exchange(pending.operation_, nullptr);
}

// Not under the lock: executors are other people's code.
void ContextOperations::post(PendingOperation& pending) {
  std::unique_lock lock(mutex_);
  Operation* const operation = unlink(pending);
  if (!operation) return;
  const bool is_for_io_context = pending.is_for_io_context_;
  ++posting_;
  lock.unlock();
  if (is_for_io_context)
    post_to_io_context(*operation);
  else
    operation->post();
  lock.lock();
  if (--posting_ == 0 && ended_) posted_.notify_all();
}

// Straight, in memory that is used again: by way of any_io_executor Asio takes some anew, twice, as
// it keeps none for threads other than its own.
void ContextOperations::post_to_io_context(Operation& operation) {
  boost::asio::post(static_cast<boost::asio::io_context&>(own_), Posted(operation));
}

// One at a time: what goes with one, a pool perhaps, may end others.
void ContextOperations::end() noexcept {
  std::unique_lock lock(mutex_);
  ended_ = true;
  posted_.wait(lock, [this] { return posting_ == 0; });
  while (first_) {
    Operation* const operation = unlink(*first_);
    lock.unlock();
    operation->destroy();
    lock.lock();
  }
}

}  // namespace bulkhead::rpc

namespace bulkhead::detail {

bool PendingOperation::expect(Operation& operation, boost::asio::execution_context* context) try {
  if (!context) {
    operation_ = &operation;
    return true;
  }
  context_ = rpc::ContextOperations::of(*context);
  if (context_->add(*this, operation)) return true;
  operation.destroy();
  return false;
} catch (...) {
  operation.destroy();
  throw;
}

void PendingOperation::abandon() noexcept {
  Operation* const operation =
      context_ ? context_->take(*this) : std::exchange(operation_, nullptr);
  if (operation) operation->destroy();
}

// By the time that it is posted this object may be gone.
void PendingOperation::complete() noexcept {
  if (const auto context = context_)
    context->post(*this);
  else if (Operation* const operation = std::exchange(operation_, nullptr))
    operation->post();
}

}  // namespace bulkhead::detail
