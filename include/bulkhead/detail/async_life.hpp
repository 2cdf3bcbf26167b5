// Starts and shutdowns as Asio's asynchronous operations.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "bulkhead/detail/handler_operation.hpp"
#include "bulkhead/detail/worker_set.hpp"

namespace bulkhead::detail {

// What a cancellation slot is given: whatever its type, nothing is left of a start.
struct StartCanceller {
  void operator()(boost::asio::cancellation_type) const {
    if (const auto start = weak.lock()) start->call_off();
  }
  std::weak_ptr<Start> weak;
};

// Has the workers that are being started: if its handler is destroyed, they are killed.
template <class Owner>
struct StartOutcome {
  template <class Handler>
  void complete(Handler&& handler) {
    if (error) workers.reset();
    std::forward<Handler>(handler)(std::move(error), Owner(std::move(workers)));
  }

  std::unique_ptr<WorkerSet> workers;
  std::exception_ptr error;
  PendingOperation pending;
};

// `Owner` is made of a WorkerSet, or of none.
template <class Owner>
class AsyncStart {
 public:
  using executor_type = boost::asio::any_io_executor;

  AsyncStart(const Contract& contract, executor_type executor)
      : contract_(&contract), executor_(std::move(executor)) {}

  executor_type get_executor() const noexcept { return executor_; }

  // Once it has begun, this object may be gone, as what it was given by reference may.
  template <class Handler, class Options>
  void operator()(Handler&& given, const Options& options) const {
    using Kept = std::decay_t<Handler>;
    Kept handler(std::forward<Handler>(given));
    const auto outcome = std::make_shared<StartOutcome<Owner>>();
    prepare(*outcome, options);
    WorkerSet* const workers = outcome->workers.get();
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (workers && slot.is_connected()) slot.assign(StartCanceller{workers->starting()});
    if (!expect(outcome, std::move(handler), executor_)) return;
    if (!workers) return outcome->pending.complete();
    begin(outcome);
  }

 private:
  using Outcome = StartOutcome<Owner>;

  template <class Options>
  void prepare(Outcome& outcome, const Options& options) const {
    try {
      outcome.workers = prepare_worker(*contract_, options);
    } catch (...) {
      outcome.error = std::current_exception();
    }
  }
  static void begin(const std::shared_ptr<Outcome>& outcome) {
    try {
      outcome->workers->start([weak = std::weak_ptr(outcome)](const std::exception_ptr& why) {
        const auto begun = weak.lock();
        if (!begun) return;
        begun->error = why;
        begun->pending.complete();
      });
    } catch (...) {
      outcome->error = std::current_exception();
      outcome->pending.complete();
    }
  }

  const Contract* contract_;
  executor_type executor_;
};

template <class Owner, class Options, class Token>
auto async_start(const Contract& contract, Options options, Token& token) {
  auto executor = options.executor ? options.executor : executor_of(nullptr);
  return boost::asio::async_initiate<Token, void(std::exception_ptr, Owner)>(
      AsyncStart<Owner>(contract, std::move(executor)), token, std::move(options));
}

template <class Report>
struct ShutdownOutcome {
  template <class Handler>
  void complete(Handler&& handler) {
    std::forward<Handler>(handler)(std::move(error), std::move(report));
  }

  Report report;
  std::exception_ptr error;
  PendingOperation pending;
};

template <class Report>
class AsyncShutdown {
 public:
  using executor_type = boost::asio::any_io_executor;

  explicit AsyncShutdown(WorkerSet* workers) : workers_(workers) {}

  executor_type get_executor() const noexcept { return executor_of(workers_); }

  template <class Handler>
  void operator()(Handler&& given, std::chrono::milliseconds grace) const {
    using Kept = std::decay_t<Handler>;
    Kept handler(std::forward<Handler>(given));
    WorkerSet* const workers = workers_;
    const auto outcome = std::make_shared<ShutdownOutcome<Report>>();
    if (!expect(outcome, std::move(handler), executor_of(workers))) return;
    if (!workers) return outcome->pending.complete();
    try {
      workers->shutdown(grace, [outcome](Report report) {
        outcome->report = std::move(report);
        outcome->pending.complete();
      });
    } catch (...) {
      outcome->error = std::current_exception();
      outcome->pending.complete();
    }
  }

 private:
  WorkerSet* workers_;
};

template <class Report, class Token>
auto async_shutdown(WorkerSet* workers, std::chrono::milliseconds grace, Token& token) {
  return boost::asio::async_initiate<Token, void(std::exception_ptr, Report)>(
      AsyncShutdown<Report>(workers), token, grace);
}

}  // namespace bulkhead::detail
