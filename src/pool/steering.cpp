// What RunOptions make of a call.
#include <cstring>

#include "bulkhead/detail/worker_set.hpp"
#include "pool/stop_error.hpp"

namespace bulkhead::detail {

namespace {

using Clock = std::chrono::steady_clock;
using Failure = rpc::CallLife::Failure;

bool past(const std::optional<std::chrono::nanoseconds>& limit) {
  return limit && limit->count() <= 0;
}

std::int64_t nanoseconds(Clock::time_point time) {
  return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

std::exception_ptr objection(const Call& call, Failure reason) {
  const std::string end = "it was never queued";
  return std::make_exception_ptr(pool::stop_error("the call", call, reason, end));
}

}  // namespace

std::exception_ptr begin_steering(Call& call, const RunOptions& options,
                                  std::unique_ptr<ProgressBox> progress) {
  if (options.stop.stop_requested()) return objection(call, Failure::cancelled);
  call.priority = options.priority;
  if (!options.timeout && !options.run_timeout && !progress) return nullptr;
  call.steering = std::make_unique<Steering>();
  Steering& limits = *call.steering;
  limits.timeout = options.timeout;
  limits.run_timeout = options.run_timeout;
  limits.ran_too_long = past(options.run_timeout);
  limits.progress = std::move(progress);
  if (past(options.timeout) || past(options.run_timeout)) return objection(call, Failure::deadline);
  const auto now = Clock::now();
  if (options.timeout && *options.timeout < Clock::time_point::max() - now)
    limits.deadline = now + *options.timeout;

  Limits packed;
  if (limits.deadline) packed.deadline = nanoseconds(*limits.deadline);
  if (options.run_timeout) packed.run_timeout = options.run_timeout->count();
  packed.wants_progress = limits.progress != nullptr;
  call.request.resize(sizeof packed);
  std::memcpy(call.request.data(), &packed, sizeof packed);
  return nullptr;
}

// The callback may come at once, and on any thread. It holds no more than a hint: a call that is
// about to end waits in its destructor for a callback that runs.
void follow(const std::shared_ptr<Call>& call, const std::stop_token& stop) {
  if (!stop.stop_possible() || call->on_stop) return;
  using Callback = std::stop_callback<std::function<void()>>;
  call->on_stop = std::make_unique<Callback>(stop, [weak = std::weak_ptr(call)] {
    if (const auto held = weak.lock()) held->cancel(Stop::partial);
  });
}

}  // namespace bulkhead::detail
