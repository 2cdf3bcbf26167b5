// How calls end before their time: past a deadline, or called off.
#include <algorithm>

#include "platform/clock.hpp"
#include "pool/calls.hpp"
#include "pool/stop_error.hpp"

namespace bulkhead::pool {

namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point after(Clock::time_point time, std::chrono::nanoseconds duration) {
  return duration < Clock::time_point::max() - time ? time + duration : Clock::time_point::max();
}

}  // namespace

// ------------------------------------------------------------ when to look

// When the reactor is to look next, if that is earlier than before.
std::optional<Calls::Clock::time_point> Calls::watch(const std::shared_ptr<detail::Call>& call) {
  const detail::Steering& limits = *call->steering;
  std::optional<Clock::time_point> next;
  const auto add = [&](Clock::time_point when, Watched::What what) {
    if (when == Clock::time_point::max()) return;
    if (deadlines_.add(when, {.what = what, .call = call})) next = when;
  };
  if (limits.deadline) add(*limits.deadline, Watched::What::timeout);
  if (limits.run_timeout) add(after(Clock::now(), *limits.run_timeout), Watched::What::run_timeout);
  return next;
}

void Calls::tell_deadline(Clock::time_point when) {
  if (const auto listener = listener_.lock()) listener->deadline_ahead(when);
}

std::optional<Calls::Clock::time_point> Calls::look_at_deadlines() {
  std::unique_lock lock(mutex_);
  const auto due = deadlines_.take_due(Clock::now());
  lock.unlock();
  for (const Watched& watched : due) look_at(watched);
  lock.lock();
  return deadlines_.next();
}

bool Calls::Watched::over() const {
  if (what == What::grace) return worker.expired();
  const auto held = call.lock();
  return !held || held->ready();
}

// An answer that is there wins: so the ring is looked at first, if need be when the thread that
// receives has let go.
void Calls::look_at(const Watched& due) {
  constexpr unsigned most_tries = 1000;
  const auto member = member_of(due);
  if (member && !receive_now(*member) && due.tries < most_tries) {
    const std::lock_guard lock(mutex_);
    Watched again = due;
    ++again.tries;
    deadlines_.add(after(Clock::now(), std::chrono::milliseconds(1)), std::move(again));
    return;
  }
  if (due.what == Watched::What::grace) return look_at_grace(due);
  const auto call = due.call.lock();
  if (!call || call->ready()) return;
  if (due.what == Watched::What::run_timeout) return look_at_run(call);
  stop(*call, Failure::deadline, detail::Stop::partial);
}

// The worker that runs what it is about, or has it in its ring.
std::optional<Calls::Member> Calls::member_of(const Watched& due) const {
  const auto worker = due.worker.lock();
  const auto call = due.call.lock();
  const std::lock_guard lock(mutex_);
  const Member member = worker ? due.member : call ? call->at.load() : seats_.size();
  const bool there = member < seats_.size() && seats_[member].worker;
  if (!there || (worker && seats_[member].worker != worker)) return std::nullopt;
  return member;
}

// False while another thread receives there, which is told to let go. Nobody leaves that seat
// meanwhile: that, too, is the reactor's to do.
bool Calls::receive_now(Member member) {
  if (!seats_[member].role.try_take_or_demand()) {
    seats_[member].worker->connection().nudge();
    return false;
  }
  receive_some(member);
  let_go(member);
  return true;
}

void Calls::look_at_run(const std::shared_ptr<detail::Call>& call) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    const auto end = end_of_run(*call);
    const auto again = end.value_or(after(now, *call->steering->run_timeout));
    if (again > now) {
      deadlines_.add(again, {.what = Watched::What::run_timeout, .call = call});
      return;
    }
    call->steering->ran_too_long = true;
  }
  stop(*call, Failure::deadline, detail::Stop::partial);
}

// Empty: it has not begun. Where several run at once nobody says when it did: it is looked at often
// enough to see it within an eighth of its time.
std::optional<Calls::Clock::time_point> Calls::end_of_run(const detail::Call& call) {
  const std::uint32_t at = call.at.load(std::memory_order_relaxed);
  if (at >= seats_.size() || !seats_[at].worker) return std::nullopt;
  rpc::AppEnd& connection = seats_[at].worker->connection();
  const auto slot = connection.find(call);
  if (!slot) return std::nullopt;
  const auto run_timeout = *call.steering->run_timeout;
  if (const auto began = connection.began_by(*slot)) return after(*began, run_timeout);
  if (connection.runs() == 1) return std::nullopt;
  rpc::OpenCall& open = connection.at(*slot);
  const auto now = Clock::now();
  const auto soon =
      after(now, std::max<std::chrono::nanoseconds>(run_timeout / 8, std::chrono::milliseconds(1)));
  if (!connection.has_begun(*slot)) return soon;
  if (open.seen_running == Clock::time_point{}) open.seen_running = now;
  return std::min(soon, after(open.seen_running, run_timeout));
}

// ------------------------------------------------------------ stopping

void Calls::cancel(detail::Call& call, detail::Stop how) {
  if (home_.here()) stop(call, Failure::cancelled, how);
}

void Calls::stop(detail::Call& call, Failure reason, detail::Stop how) {
  Tell tell = Tell::nobody;
  std::optional<Clock::time_point> next;
  Worker spent;
  {
    const std::lock_guard lock(mutex_);
    const std::uint32_t at = call.at.load(std::memory_order_relaxed);
    if (at == detail::Call::outside) {
      tell = leave_outside(call) ? Tell::outsider : Tell::nobody;
    } else if (withdraw(call, at)) {
      call.close_progress();
      tell = Tell::caller;
      dispatch();
    } else if (at < seats_.size() && seats_[at].worker) {
      tell = stop_at(at, call, reason, how);
      if (schedule_.spent(at)) spent = seats_[at].worker;
    }
    next = deadlines_.next();
  }
  if (next) tell_deadline(*next);
  if (spent) this->tell({.spent = true}, spent);
  if (tell == Tell::nobody) return;
  const bool early = tell == Tell::caller_early;
  auto error = std::make_exception_ptr(stop_error(
      service_, call, reason, early ? "its handler was asked to stop" : "no worker had begun it"));
  ++failed_;
  if (limits_.events) tell_settled(call, {}, error);
  early ? call.settle_early(std::move(error)) : call.settle(std::move(error));
  if (tell != Tell::outsider) settled(1);
}

// What its caller is to be told. Nothing where it has just been answered.
Calls::Tell Calls::stop_at(Member member, detail::Call& call, Failure reason, detail::Stop how) {
  rpc::AppEnd& connection = seats_[member].worker->connection();
  const auto slot = connection.find(call);
  if (!slot) return Tell::nobody;
  call.close_progress();
  if (auto open = connection.take_back_at(*slot)) {
    open->life.stop(reason, how, false);
    call.at.store(detail::Call::nowhere, std::memory_order_relaxed);
    schedule_.returned(member, 1);
    --held_;
    has_done_some(member);
    return Tell::caller;
  }
  const rpc::CallLife::Step step = connection.at(*slot).life.stop(reason, how, true);
  if (step.ask_handler) ask_to_stop(member, *slot, reason);
  return step.then == rpc::CallLife::Step::Then::fail ? Tell::caller_early : Tell::nobody;
}

void Calls::ask_to_stop(Member member, rpc::Slot slot, Failure reason) {
  rpc::AppEnd& connection = seats_[member].worker->connection();
  connection.ask_to_stop(slot);
  deadlines_.add(after(Clock::now(), limits_.kill_grace), {.what = Watched::What::grace,
                                                           .worker = seats_[member].worker,
                                                           .member = member,
                                                           .ticket = connection.ticket_at(slot),
                                                           .reason = reason});
}

// It is told apart from what came after it in that worker by its ticket.
void Calls::look_at_grace(const Watched& due) {
  const Worker worker = due.worker.lock();
  const auto goes_on = [&] {
    const std::lock_guard lock(mutex_);
    if (!worker || seats_[due.member].worker != worker) return false;
    const rpc::OpenCall* const open = worker->connection().under(due.ticket);
    return open && open->life.grace_over().kill_worker;
  };
  if (!goes_on()) return;
  if (const auto listener = listener_.lock())
    listener->worker_overdue(worker,
                             due.reason == Failure::deadline ? Cause::deadline : Cause::cancelled);
}

}  // namespace bulkhead::pool
