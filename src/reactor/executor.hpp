// The reactor as an executor of other people's handlers. Whoever has one keeps the reactor going,
// so that what it was given does run.
#pragma once

#include <boost/asio/execution.hpp>
#include <memory>
#include <utility>

#include "reactor/reactor.hpp"

namespace bulkhead::reactor {

class Executor {
 public:
  explicit Executor(std::shared_ptr<Reactor> reactor) noexcept : reactor_(std::move(reactor)) {}

  // It may lose its last owner when `work` has run, on the reactor's own thread, but not before.
  template <class Work>
  void execute(Work&& work) const {
    reactor_->post([keep = reactor_, work = std::forward<Work>(work)]() mutable { work(); });
  }

  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return reactor_->context();
  }
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }

  friend bool operator==(const Executor&, const Executor&) = default;

 private:
  std::shared_ptr<Reactor> reactor_;
};

}  // namespace bulkhead::reactor
