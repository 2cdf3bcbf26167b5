// What the calls tell about the workers that run them: how busy those are, and how long it takes.
#include <algorithm>
#include <string>
#include <utility>

#include "platform/clock.hpp"
#include "pool/calls.hpp"
#include "worker/launch.hpp"

namespace bulkhead::pool {

// ------------------------------------------------------------ being busy

Calls::Activity Calls::activity(Member member) const {
  const std::lock_guard lock(mutex_);
  return {seats_[member].answered, schedule_.load(member) > 0 || !seats_[member].own.empty()};
}

std::size_t Calls::waiting_for_anyone() const {
  const std::lock_guard lock(mutex_);
  return waiting_for_any_worker();
}

// Not those that only one may run: kept for it, or given to it before it leaves.
std::size_t Calls::waiting_for_any_worker() const {
  std::size_t count = waiting() - kept_ + outside_.size();
  for (Member member = 0; member < seats_.size(); ++member)
    if (schedule_.is_retired(member)) count -= schedule_.waiting(member);
  return count;
}

bool Calls::some_wait_now() {
  return watches_waiting_ && waiting_for_any_worker() > 0 && std::exchange(watches_waiting_, false);
}

void Calls::watch_waiting() {
  {
    const std::lock_guard lock(mutex_);
    watches_waiting_ = true;
    if (!some_wait_now()) return;
  }
  tell_waiting();
}

void Calls::tell_waiting() {
  if (const auto listener = listener_.lock()) listener->calls_wait();
}

void Calls::watch_work() {
  const std::lock_guard lock(mutex_);
  watches_work_ = true;
}

void Calls::fill(std::vector<WorkerStats>& each) const {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  for (Member member = 0; member < seats_.size(); ++member) {
    const Seat& seat = seats_[member];
    if (!seat.worker) continue;
    WorkerStats& worker = each.emplace_back();
    worker.pid = seat.worker->pid();
    worker.spare = seat.worker->was_ready() && !schedule_.present(member);
    worker.suspect = seat.worker->suspect();
    worker.completed = seat.answered;
    worker.running = worker::running_calls(seat.worker->connection(), now);
    worker.state = !seat.worker->was_ready()      ? WorkerState::starting
                   : schedule_.is_retired(member) ? WorkerState::leaving
                   : schedule_.load(member) > 0   ? WorkerState::busy
                                                  : WorkerState::idle;
  }
}

// What has ended, and how, and nothing of what is in it.
void Calls::tell_settled(const detail::Call& call, const Settled& how,
                         const std::exception_ptr& error) {
  Event event{.kind = EventKind::call_settled,
              .service = service_,
              .request = std::string(call.type->name),
              .call = call.id,
              .waited = how.waited,
              .ran = how.ran};
  try {
    if (error) std::rethrow_exception(error);
  } catch (const Error& why) {
    event.error = why.code();
  } catch (...) {
    event.error = errc::codec_failed;
  }
  event.text = service_ + ": " + event.request + " (call " + std::to_string(call.id) + ") " +
               (event.error ? "failed: " + event.error.message() : "was answered");
  limits_.events->tell(std::move(event));
}

// ------------------------------------------------------------ measuring

namespace {

constexpr std::chrono::steady_clock::time_point unmeasured{};

}  // namespace

void Calls::tick(Clock::time_point coarse_now) {
  if (std::exchange(tick_, coarse_now) != coarse_now) to_be_measured_ = measured_each_tick;
}

Calls::Clock::time_point Calls::begin_measuring() {
  if (to_be_measured_ == 0) return unmeasured;
  --to_be_measured_;
  return Clock::now();
}

// A worker came to a call when it was given it, or had answered the one before. Those whose answers
// were seen together have run for equal parts of the time.
void Calls::measure(Seat& seat, Answers answers) {
  const bool any = std::any_of(answers.begin(), answers.end(),
                               [](const auto& answer) { return answer.open.asked != unmeasured; });
  const auto last = std::exchange(seat.last_answer, any ? Clock::now() : unmeasured);
  if (!any) return;
  const bool one_by_one = seat.worker->connection().runs() == 1;
  const auto parts = one_by_one ? static_cast<int>(answers.size()) : 1;
  for (auto& answer : answers) {
    const rpc::OpenCall& open = answer.open;
    if (open.asked == unmeasured) continue;
    auto begun = open.given;
    if (begun == unmeasured && one_by_one) begun = last;
    if (begun == unmeasured || begun < open.asked) continue;
    answer.waited = begun - open.asked;
    answer.ran = (seat.last_answer - begun) / parts;
    queue_times_.add(answer.waited);
    run_times_.add(answer.ran);
  }
}

}  // namespace bulkhead::pool
