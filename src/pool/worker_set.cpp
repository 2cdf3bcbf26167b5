// What Pool and Worker are made of: a crew and its calls. A Worker is a crew of one that is not
// replaced.
#include "bulkhead/detail/worker_set.hpp"

#include <stdexcept>
#include <string>

#include "bulkhead/pool.hpp"
#include "bulkhead/worker.hpp"
#include "pool/crew.hpp"
#include "worker/handshake.hpp"

namespace bulkhead::detail {

namespace {

class CrewHandle final : public WorkerSet {
 public:
  explicit CrewHandle(pool::Crew::Plan plan)
      : crew_(std::make_shared<pool::Crew>(std::move(plan), reactor::Reactor::acquire())) {
    crew_->start();
  }
  ~CrewHandle() override { crew_->kill_now(); }
  CrewHandle(const CrewHandle&) = delete;
  CrewHandle& operator=(const CrewHandle&) = delete;

  void submit(const std::shared_ptr<Call>& call) override { crew_->calls().submit(call); }
  PoolStats stats() const override {
    PoolStats stats;
    crew_->fill(stats);
    return stats;
  }
  ShutdownReport shutdown(std::chrono::milliseconds grace) override {
    return crew_->shut_down(grace);
  }
  std::optional<CrashReport> crash() const override {
    const auto crash = crew_->last_crash();
    return crash ? std::optional(*crash) : std::nullopt;
  }
  bool alive() const override { return stats().workers > 0; }
  pid_t pid() const override { return crew_->pid(); }

 private:
  const std::shared_ptr<pool::Crew> crew_;
};

template <class Duration>
void require_not_negative(Duration duration, const char* field) {
  if (duration < Duration::zero())
    throw std::invalid_argument(std::string(field) + " must not be negative");
}

void require(bool condition, const char* complaint) {
  if (!condition) throw std::invalid_argument(complaint);
}

void check(const PoolOptions& options) {
  require(options.workers > 0, "PoolOptions::workers must be at least 1");
  require(options.max_attempts > 0, "PoolOptions::max_attempts must be at least 1");
  require(options.max_message > 0, "PoolOptions::max_message must be at least 1");
  require_not_negative(options.connect_timeout, "PoolOptions::connect_timeout");
  require_not_negative(options.restart.period, "PoolOptions::restart.period");
}

}  // namespace

std::unique_ptr<WorkerSet> start_pool(const Contract& contract, const PoolOptions& options) {
  check(options);
  worker::require_served();
  return std::make_unique<CrewHandle>(pool::Crew::Plan{.contract = contract, .options = options});
}

std::unique_ptr<WorkerSet> start_worker(const Contract& contract, const WorkerOptions& options) {
  require_not_negative(options.connect_timeout, "WorkerOptions::connect_timeout");
  worker::require_served();
  return std::make_unique<CrewHandle>(
      pool::Crew::Plan{.contract = contract,
                       .options = {.workers = 1,
                                   .launch = options.launch,
                                   .connect_timeout = options.connect_timeout,
                                   .queue_limit = options.queue_limit,
                                   .max_attempts = 1},
                       .lone = true});
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
