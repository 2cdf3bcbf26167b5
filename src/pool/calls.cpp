#include "pool/calls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bulkhead/run_options.hpp"
#include "platform/clock.hpp"
#include "platform/cpu.hpp"

namespace bulkhead::pool {

namespace {

// How many calls a worker may hold, at least. Those it has not begun can be taken back at any time,
// so that holding them costs nothing, and a worker that is fast never waits for the next.
constexpr std::size_t ahead = 256;

// Each takes a descriptor, of which the rest of the app has a use too.
constexpr std::size_t most_blocks = 64;

}  // namespace

Calls::Calls(std::string service, const Limits& limits, std::weak_ptr<Listener> listener)
    : service_(std::move(service)),
      limits_(limits),
      listener_(std::move(listener)),
      cores_(platform::usable_cores()),
      budget_(std::make_shared<ipc::Budget>(limits.bytes.alive)),
      blocks_(std::make_shared<ipc::Budget>(most_blocks)),
      schedule_(limits.members, ahead),
      flow_(cores_),
      seats_(limits.members),
      keys_(limits.members),
      quarantine_(limits.poison) {
  for (Seat& empty : seats_) empty.role.try_take();
}

// ------------------------------------------------------------ giving

void Calls::submit(std::shared_ptr<detail::Call> call, const RunOptions* options) {
  if (!home_.here()) return call->settle(out_of_reach());
  call->source = shared_from_this();
  std::unique_lock lock(mutex_);
  if (options && !options->key.empty()) call->key = keys_.find(options->key);
  if (const auto objection = objection_to(*call)) {
    lock.unlock();
    return turn_away(*call, *objection);
  }
  if (!has_room_for(*call) || !outside_.empty())
    return without_room(call, options, std::move(lock));
  const auto look_at = call->steering ? watch(call) : std::nullopt;
  const Worker sleeping = take(std::move(call));
  const bool many_run = schedule_.running() > 2 * cores_;
  const bool waiting_is_news = some_wait_now();
  lock.unlock();
  if (look_at) tell_deadline(*look_at);
  if (waiting_is_news) tell_waiting();
  if (!sleeping) return;
  if (many_run) begin_rounds();
  sleeping->connection().ring();
}

std::exception_ptr Calls::out_of_reach() const {
  if (home_.here()) return nullptr;
  return std::make_exception_ptr(
      Error(errc::shut_down, "the " + service_ + " workers belong to process " +
                                 std::to_string(home_.pid()) +
                                 ", which started them: this process was forked off that one, and "
                                 "must start workers of its own"));
}

std::optional<Error> Calls::objection_to(const detail::Call& call) {
  const std::size_t limits = call.steering ? sizeof(detail::Limits) : 0;
  if (const std::size_t size = call.request.size() - limits + call.beside; size > limits_.message)
    return Error(errc::message_too_large, "the request " + std::string(call.type->name) + " has " +
                                              std::to_string(size) +
                                              " bytes, more than max_message allows (" +
                                              std::to_string(limits_.message) + ")");
  if (call.key && call.key->refusal)
    if (const auto why = quarantine_.objection(*call.key, Clock::now())) return *why;
  const auto only = only_home(call);
  if (call.only_for != 0 && (!only || schedule_.is_retired(*only)))
    return Error(errc::not_running, "the " + service_ + " worker that " +
                                        std::string(call.type->name) + " was for has left");
  return refusal_;
}

// Whom to ring for, if it sleeps: that needs no lock.
Calls::Worker Calls::take(std::shared_ptr<detail::Call>&& call) {
  rpc::OpenCall open = open_call(std::move(call));
  const bool first = queue_.empty() && !open.call->key && open.call->only_for == 0;
  const auto member = first ? schedule_.pick() : std::nullopt;
  if (member) return give(*member, std::move(open)) ? seats_[*member].worker : nullptr;
  const bool may_be_next = in_turn_ || open.call->key || open.call->only_for != 0;
  put_last(std::move(open));
  if (may_be_next) dispatch();
  return nullptr;
}

rpc::OpenCall Calls::open_call(std::shared_ptr<detail::Call>&& call) {
  if (call->priority != priority_) note_priority(call->priority);
  ++taken_;
  const rpc::CallLife life(call->type->idempotent, limits_.attempts);
  const rpc::CallId id = call->id = ++last_id_;
  return {.call = std::move(call), .life = life, .id = id, .asked = begin_measuring()};
}

// Calls that no thread of a worker runs.
std::size_t Calls::waiting() const { return queue_.size() + kept_ + held_ - schedule_.running(); }

bool Calls::runs_next_at_once() const {
  const auto member = schedule_.pick();
  return queue_.empty() && member && schedule_.has_free_thread(*member);
}

// A broadcast is no more than the workers are.
bool Calls::has_room_for(const detail::Call& call) const {
  if (waiting() < limits_.queue || call.only_for != 0) return true;
  const auto home = call.key ? keys_.home(*call.key) : std::nullopt;
  return home ? seats_[*home].own.empty() && schedule_.has_free_thread(*home) : runs_next_at_once();
}

void Calls::dispatch() {
  do hand_out();
  while (!outside_.empty() && let_in());
  if (in_turn_ && queue_.empty() && kept_ == 0) give_in_turn(false);
}

// A call that is about to wait, or does so, has it.
void Calls::note_priority(int priority) {
  if (priority == priority_ || in_turn_) return;
  if (waiting() > 0)
    give_in_turn(true);
  else
    priority_ = priority;
}

// What workers have not begun would go before higher ones that come.
void Calls::give_in_turn(bool in_turn) {
  in_turn_ = in_turn;
  schedule_.hold_ahead(in_turn ? 0 : ahead);
  if (!in_turn) return;
  // A retired one has only what nobody else may run.
  for (Member member = 0; member < seats_.size(); ++member) {
    const std::size_t waiting = schedule_.waiting(member);
    if (waiting > 0 && !schedule_.is_retired(member)) take_back(member, waiting);
  }
  queue_.restore_order();
}

// In their order: behind a call that must run alone all wait, so that a worker becomes free for it.
void Calls::hand_out() {
  for (;;) {
    if (kept_ > 0 && give_kept()) continue;
    if (queue_.empty()) return;
    const auto member = taker_of(queue_.front());
    if (!member) return;
    hand_over(*member, take_first());
  }
}

// True when the worker is to be rung for.
bool Calls::give(Member member, rpc::OpenCall&& open) {
  Seat& seat = seats_[member];
  open.life.hand_over();
  open.since = platform::coarse_now();
  tick(open.since);
  if (open.asked != Clock::time_point{} && schedule_.has_free_thread(member))
    open.given = Clock::now();
  open.call->at.store(static_cast<std::uint32_t>(member), std::memory_order_relaxed);
  schedule_.gave(member,
                 open.life.must_run_alone() ? Schedule::Run::alone : Schedule::Run::beside_others);
  ++held_;
  advise(seat);
  const bool sleeps = seat.worker->connection().hand_over_unrung(std::move(open));
  // Seen here first; the reactor, which need not hear of this worker again, is to act on it.
  if (seat.worker->connection().send_violated()) seat.worker->ring_reactor();
  return sleeps;
}

// Spinning is for those who have a core to themselves: this worker's, those that run calls, and the
// thread that waits for an answer.
void Calls::advise(Seat& seat) {
  const bool spins = schedule_.running() < cores_;
  if (spins == seat.spins) return;
  seat.spins = spins;
  const auto limit = spins ? ipc::SpinPolicy::longest : ipc::SpinPolicy::Time::zero();
  seat.worker->connection().link().segment().hints().worker_spin_limit_ns.store(
      static_cast<std::uint32_t>(limit.count()), std::memory_order_relaxed);
}

// ------------------------------------------------------------ settling

// Counted first: who has seen the error sees it in the statistics.
void Calls::fail(detail::Call& call, std::exception_ptr error) {
  ++failed_;
  if (limits_.events) tell_settled(call, {}, error);
  call.settle(std::move(error));
  settled(1);
}

void Calls::settled(std::size_t count) {
  settled_ += count;
  if (watched_.load() && open() == 0)
    if (const auto listener = listener_.lock()) listener->all_settled();
}

std::size_t Calls::open() const {
  const std::lock_guard lock(mutex_);
  return taken_ - settled_.load();
}

void Calls::lost(rpc::AppEnd::Left calls, const Why& why) {
  Lost lost;
  std::vector<Refused> refused;
  {
    const std::lock_guard lock(mutex_);
    using Run = rpc::CallLife::Run;
    const Run begun = calls.begun.size() == 1 ? Run::alone : Run::beside_others;
    for (auto& open : calls.begun) sort_out(open, begun, why, lost);
    for (auto& open : calls.not_begun) sort_out(open, Run::not_begun, why, lost);
    // They were first, and stay so.
    for (auto open = lost.again.rbegin(); open != lost.again.rend(); ++open) {
      const int priority = open->call->priority;
      put_first(std::move(*open));
      note_priority(priority);
    }
    for (const auto& key : lost.condemned) refused.push_back(take_calls_of(key));
    dispatch();
  }
  for (auto& [open, failure] : lost.failed)
    fail(*open.call, std::make_exception_ptr(why(open, failure)));
  for (const Refused& those : refused) refuse(those);
}

void Calls::refuse(std::optional<Error> why) {
  std::deque<std::shared_ptr<detail::Call>> refused;
  {
    const std::lock_guard lock(mutex_);
    refusal_ = why;
    if (why) refused = empty_outside();
  }
  for (const auto& call : refused) turn_away(*call, *why);
}

void Calls::fail_queued(const Error& why) {
  std::deque<rpc::OpenCall> calls;
  {
    const std::lock_guard lock(mutex_);
    calls = take_all_waiting();
  }
  shut_down(calls, why);
}

void Calls::fail_all(const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  fail_queued(why);
  for (Member member = 0; member < seats_.size(); ++member) {
    rpc::AppEnd::Left left;
    {
      const std::lock_guard lock(mutex_);
      if (!seats_[member].worker) continue;
      schedule_.left(member);
      left = seats_[member].worker->connection().drain();
      held_ -= left.begun.size() + left.not_begun.size();
    }
    shut_down(left.begun, why);
    shut_down(left.not_begun, why);
  }
}

template <class OpenCalls>
void Calls::shut_down(OpenCalls& calls, const Error& why) {
  for (auto& open : calls)
    if (open.life.shut_down().then == rpc::CallLife::Step::Then::fail)
      fail(*open.call, std::make_exception_ptr(why));
}

// ------------------------------------------------------------ the crew's side

void Calls::seat(Member member, Worker worker) {
  Seat& seat = seats_[member];
  const std::lock_guard lock(mutex_);
  seat.worker = std::move(worker);
  seat.spins = false;
  seat.answered = seat.last_round = 0;
  seat.last_answer = {};
  static_cast<void>(seat.role.let_go());  // nobody was turned away from an empty seat
}

void Calls::joined(Member member, std::uint64_t answers) {
  const std::lock_guard lock(mutex_);
  Seat& seat = seats_[member];
  seat.worn_at = answers;
  const std::size_t at_once = seat.worker->calls_at_once();
  seat.worker->connection().runs(at_once);
  schedule_.joined(member, at_once);
  dispatch();
  relieve(member);
}

void Calls::ask_to_leave(Member member) {
  const std::lock_guard lock(mutex_);
  if (seats_[member].worker) seats_[member].worker->connection().leave();
}

void Calls::retire(Member member) {
  Worker worker;
  bool spent = false;
  {
    const std::lock_guard lock(mutex_);
    schedule_.retire(member);
    move_keys_from(member);
    take_back(member, schedule_.load(member));
    give_all_kept(member);
    spent = schedule_.spent(member);
    worker = seats_[member].worker;
    worker->connection().leave();
    dispatch();
  }
  if (spent) tell({.spent = true}, worker);
}

std::optional<rpc::AppEnd::Left> Calls::left(Member member) {
  Seat& seat = seats_[member];
  {
    const std::lock_guard lock(mutex_);
    schedule_.left(member);  // it gets nothing more
    move_keys_from(member);
  }
  if (!seat.role.try_take_or_demand()) {
    seat.worker->connection().nudge();
    return std::nullopt;
  }
  while (receive_batch(member) == Turn::more) continue;
  seat.role.attend();
  Worker worker;  // ends after the lock
  const std::lock_guard lock(mutex_);
  rpc::AppEnd::Left left = seat.worker->connection().drain();
  held_ -= left.begun.size() + left.not_begun.size();
  // Nobody else may run these: they end with it.
  kept_ -= seat.own.size();
  for (auto& open : seat.own.take_all()) {
    open.life.hand_over();
    left.not_begun.push_back(std::move(open));
  }
  worker = std::move(seat.worker);
  return left;
}

void Calls::fill(PoolStats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.workers = schedule_.members();
  stats.queued = waiting();
  stats.in_flight = schedule_.running();
  for (const Seat& seat : seats_) stats.completed += seat.completed.load();
  stats.failed = failed_.load();
  stats.queue_time = queue_times_.summary();
  stats.run_time = run_times_.summary();
}

}  // namespace bulkhead::pool
