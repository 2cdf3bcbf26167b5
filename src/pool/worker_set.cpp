// What Pool and Worker are made of: a crew and its calls. A Worker is a crew of one that is not
// replaced.
#include "bulkhead/detail/worker_set.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "bulkhead/detail/operation.hpp"
#include "bulkhead/inline_pool.hpp"
#include "bulkhead/pool.hpp"
#include "bulkhead/worker.hpp"
#include "platform/home_process.hpp"
#include "platform/stdio.hpp"
#include "pool/crew.hpp"
#include "reactor/executor.hpp"
#include "worker/crash_stack.hpp"
#include "worker/handshake.hpp"

namespace bulkhead::detail {

namespace {

boost::asio::any_io_executor own_executor() {
  return reactor::Executor(reactor::Reactor::acquire());
}

class CrewHandle final : public WorkerSet {
 public:
  explicit CrewHandle(pool::Crew::Plan plan)
      : executor_(plan.options.executor ? plan.options.executor : own_executor()),
        events_(plan.options.on_event
                    ? std::make_shared<pool::Events>(plan.options.on_event, executor_)
                    : nullptr),
        crew_(pool::Crew::make(std::move(plan), reactor::Reactor::acquire(), events_)) {}
  // In a fork of the process that made it, all of it is kept as it is: its names, descriptors and
  // processes are the other's.
  ~CrewHandle() override {
    if (!home_.here()) {
      static_cast<void>(new (std::nothrow) std::shared_ptr<pool::Crew>(crew_));
      return;
    }
    crew_->kill_now();
    close_events();
  }
  CrewHandle(const CrewHandle&) = delete;
  CrewHandle& operator=(const CrewHandle&) = delete;

  void start() { crew_->start(); }
  void start(std::function<void(std::exception_ptr)> told) override {
    crew_->start([told = std::move(told)](const std::optional<Error>& why) {
      told(why ? std::make_exception_ptr(*why) : nullptr);
    });
  }
  std::weak_ptr<Start> starting() const override { return crew_; }

  void submit(std::shared_ptr<Call> call, const RunOptions* options) override {
    crew_->calls().submit(std::move(call), options);
  }
  void turn_away(Call& call, std::exception_ptr why) override {
    if (!home_.here()) return call.settle(std::move(why));
    crew_->calls().turn_away(call, std::move(why));
  }
  // A fork's own reactor where the other one's would be it: that has no thread there.
  boost::asio::any_io_executor executor() const override {
    const bool lost = !home_.here() && executor_.target<reactor::Executor>();
    return lost ? own_executor() : executor_;
  }
  MutableBytes make_bytes(std::size_t size) override { return crew_->calls().make_bytes(size); }
  MutableBytes make_block(std::size_t size) override { return crew_->calls().make_block(size); }
  PoolStats stats() const override {
    PoolStats stats;
    if (home_.here()) crew_->fill(stats);
    return stats;
  }
  std::vector<std::uint64_t> ready_workers() const override {
    return home_.here() ? crew_->calls().ready_workers() : std::vector<std::uint64_t>();
  }
  void clear_quarantine(const std::string& key) override { crew_->calls().clear_quarantine(key); }
  // Holds the crew: a pool that is destroyed meanwhile does not wait for whoever is in here.
  void reload() override {
    const auto crew = crew_;
    if (auto why = crew->calls().out_of_reach()) std::rethrow_exception(std::move(why));
    crew->reload();
  }
  ShutdownReport shutdown(std::chrono::milliseconds grace) override {
    return home_.here() ? crew_->shut_down(grace) : ShutdownReport{};
  }
  void shutdown(std::chrono::milliseconds grace,
                std::function<void(ShutdownReport)> told) override {
    if (!home_.here()) return told({});
    crew_->shut_down(grace, std::move(told));
  }
  std::optional<CrashReport> crash() const override {
    if (!home_.here()) return std::nullopt;
    const auto crash = crew_->last_crash();
    return crash ? std::optional(detail::Reports::explained(*crash)) : std::nullopt;
  }
  Containment containment() const override {
    return home_.here() ? crew_->containment() : Containment{};
  }
  bool alive() const override { return !ready_workers().empty(); }
  pid_t pid() const override { return home_.here() ? crew_->pid() : 0; }

 private:
  void close_events() {
    if (!events_) return;
    const bool own = executor_.target<reactor::Executor>() != nullptr;
    events_->close(own && !reactor::Reactor::is_this_thread());
  }

  const platform::HomeProcess home_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<pool::Events> events_;  // null: nobody wants to hear of them
  const std::shared_ptr<pool::Crew> crew_;
};

// More than any machine has use for: a mistake, as a negative number is.
constexpr std::size_t most_workers = 4096;

template <class Duration>
void require_not_negative(Duration duration, const char* field) {
  if (duration < Duration::zero())
    throw std::invalid_argument(std::string(field) + " must not be negative");
}

void require(bool condition, const char* complaint) {
  if (!condition) throw std::invalid_argument(complaint);
}

// What there is neither a descriptor nor a thread for does not start.
std::unique_ptr<CrewHandle> prepare(pool::Crew::Plan plan) {
  worker::require_served();
  platform::note_closed_stdio();
  const std::string service = plan.contract.service;
  try {
    return std::make_unique<CrewHandle>(std::move(plan));
  } catch (const Error&) {
    throw;
  } catch (const std::system_error& error) {
    throw Error(errc::start_failed, service + " workers could not be started: " + error.what(),
                error.code());
  }
}

std::unique_ptr<WorkerSet> started(std::unique_ptr<CrewHandle> workers) {
  workers->start();
  return workers;
}

pool::Crew::Plan plan_of_one(const Contract& contract, const WorkerOptions& options) {
  require_not_negative(options.connect_timeout, "WorkerOptions::connect_timeout");
  require_not_negative(options.kill_grace, "WorkerOptions::kill_grace");
  return {.contract = contract,
          .options = {.workers = 1,
                      .launch = options.launch,
                      .connect_timeout = options.connect_timeout,
                      .queue_limit = options.queue_limit,
                      .max_attempts = 0,  // nothing is tried again
                      .kill_grace = options.kill_grace,
                      .poison_limit = 0,
                      .bytes = options.bytes,
                      .sandbox = options.sandbox,
                      .executor = options.executor},
          .lone = true};
}

void check(const PoolOptions& options) {
  require(options.workers > 0, "PoolOptions::workers must be at least 1");
  require(options.workers <= most_workers, "PoolOptions::workers must be at most 4096");
  require(options.spares <= most_workers - options.workers,
          "PoolOptions::spares must be at most 4096 together with workers");
  require(options.max_attempts > 0, "PoolOptions::max_attempts must be at least 1");
  require(options.max_message > 0, "PoolOptions::max_message must be at least 1");
  require_not_negative(options.connect_timeout, "PoolOptions::connect_timeout");
  require_not_negative(options.queue_wait, "PoolOptions::queue_wait");
  require_not_negative(options.kill_grace, "PoolOptions::kill_grace");
  require_not_negative(options.restart.period, "PoolOptions::restart.period");
  require(options.min_workers <= options.workers,
          "PoolOptions::min_workers must be at most PoolOptions::workers");
  require(options.output != WorkerOutput::event || options.on_event,
          "PoolOptions::output is WorkerOutput::event, which needs PoolOptions::on_event");
  require_not_negative(options.idle_timeout, "PoolOptions::idle_timeout");
  require_not_negative(options.recycle_after_age, "PoolOptions::recycle_after_age");
  require_not_negative(options.heartbeat, "PoolOptions::heartbeat");
}

}  // namespace

std::unique_ptr<WorkerSet> start_pool(const Contract& contract, const PoolOptions& options) {
  check(options);
  return started(prepare({.contract = contract, .options = options}));
}

// What asks processes for something is left out.
std::unique_ptr<WorkerSet> start_inline_pool(const Contract& contract, const PoolOptions& options,
                                             const ServeOptions& serve,
                                             std::unique_ptr<Dispatcher> dispatcher) {
  check(options);
  pool::Crew::Plan plan{.contract = contract, .options = options};
  plan.options.recycle_above_rss = plan.options.recycle_above_growth = 0;
  plan.options.heartbeat = {};
  plan.in_process = {.options = serve, .dispatcher = std::move(dispatcher)};
  return started(prepare(std::move(plan)));
}

std::unique_ptr<WorkerSet> start_worker(const Contract& contract, const WorkerOptions& options) {
  return started(prepare(plan_of_one(contract, options)));
}

std::unique_ptr<WorkerSet> prepare_worker(const Contract& contract, const WorkerOptions& options) {
  return prepare(plan_of_one(contract, options));
}

boost::asio::any_io_executor executor_of(const WorkerSet* workers) {
  return workers ? workers->executor() : own_executor();
}

std::exception_ptr codec_failure(const RequestType& type, const char* what,
                                 std::exception_ptr cause) noexcept {
  try {
    std::string why = "an exception of unknown type";
    try {
      std::rethrow_exception(std::move(cause));
    } catch (const std::exception& error) {
      why = error.what();
    } catch (...) {
    }
    return std::make_exception_ptr(
        Error(errc::codec_failed, std::string(type.name) + " " + what + ": " + why));
  } catch (...) {
    return std::current_exception();  // no memory to say more
  }
}

}  // namespace bulkhead::detail
