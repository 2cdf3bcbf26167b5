#include "pool/calls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "platform/clock.hpp"
#include "platform/cpu.hpp"
#include "rpc/deliver.hpp"

namespace bulkhead::pool {

namespace {

// How many calls a worker may hold. Those it has not begun can be taken back at any time, so that
// holding them costs nothing, and a worker that is fast never waits for the next.
constexpr std::size_t ahead = 256;

// How many answers a thread that waits for one takes for others before it lets the reactor go on.
constexpr int answers_for_others = 256;

bool passed(detail::AnswerSource::Deadline deadline) {
  return deadline && std::chrono::steady_clock::now() >= *deadline;
}

}  // namespace

Calls::Calls(std::string service, const Limits& limits, std::weak_ptr<Listener> listener)
    : service_(std::move(service)),
      limits_(limits),
      listener_(std::move(listener)),
      cores_(platform::usable_cores()),
      schedule_(limits.members, ahead),
      seats_(limits.members) {}

// ------------------------------------------------------------ giving

void Calls::submit(const std::shared_ptr<detail::Call>& call) {
  const std::optional<Error> objection = take(call);
  if (!objection) return;
  ++failed_;
  call->settle(std::make_exception_ptr(*objection));
}

// Why it is not taken; empty when it was.
std::optional<Error> Calls::take(const std::shared_ptr<detail::Call>& call) {
  if (const std::size_t size = call->request.size(); size > limits_.message)
    return Error(errc::message_too_large, "the request " + std::string(call->type->name) + " has " +
                                              std::to_string(size) +
                                              " bytes, more than max_message allows (" +
                                              std::to_string(limits_.message) + ")");
  const std::lock_guard lock(mutex_);
  if (refusal_) return refusal_;
  if (waiting() >= limits_.queue && schedule_.busy() == schedule_.members())
    return Error(errc::queue_full, "the " + service_ +
                                       " queue is full: " + std::to_string(limits_.queue) +
                                       " calls wait for a worker (queue_limit)");
  call->source = shared_from_this();
  ++open_;
  queue_.push_back({.call = call,
                    .life = rpc::CallLife(call->type->idempotent, limits_.attempts),
                    .id = ++last_id_});
  dispatch();
  return std::nullopt;
}

// Calls that no worker runs: each busy worker runs one of those that it holds.
std::size_t Calls::waiting() const { return queue_.size() + held_ - schedule_.busy(); }

void Calls::dispatch() {
  while (!queue_.empty()) {
    const auto member = schedule_.pick();
    if (!member) return;
    rpc::OpenCall open = std::move(queue_.front());
    queue_.pop_front();
    give(*member, std::move(open));
  }
}

void Calls::give(Member member, rpc::OpenCall open) {
  Seat& seat = seats_[member];
  open.life.hand_over();
  open.since = platform::coarse_now();
  open.call->at.store(static_cast<std::uint32_t>(member), std::memory_order_relaxed);
  schedule_.gave(member);
  ++held_;
  advise(seat);
  seat.worker->connection().hand_over(std::move(open));
  // Seen here first; the reactor, which need not hear of this worker again, is to act on it.
  if (seat.worker->connection().send_violated()) seat.worker->ring_reactor();
}

// Spinning is for those who have a core to themselves: this worker's, and the one of the thread
// that waits for it.
void Calls::advise(Seat& seat) {
  const bool spins = schedule_.busy() < cores_;
  if (spins == seat.spins) return;
  seat.spins = spins;
  const auto limit = spins ? ipc::SpinPolicy::longest : ipc::SpinPolicy::Time::zero();
  seat.worker->connection().link().segment().hints().worker_spin_limit_ns.store(
      static_cast<std::uint32_t>(limit.count()), std::memory_order_relaxed);
}

// A worker has nothing left and nothing waits: it gets some of what the busiest has not begun.
void Calls::relieve(Member idle) {
  const auto theft = schedule_.relief_for(idle);
  if (!theft) return;
  auto taken = seats_[theft->from].worker->connection().take_back(theft->count);
  schedule_.returned(theft->from, taken.size());
  held_ -= taken.size();
  for (auto& open : taken) {
    open.life.taken_back();
    queue_.push_front(std::move(open));
  }
  dispatch();
}

// ------------------------------------------------------------ receiving

void Calls::receive_for(const detail::Call& call, Deadline deadline) {
  while (!call.ready() && !passed(deadline)) {
    const std::uint32_t member = call.at.load(std::memory_order_relaxed);
    if (member == detail::Call::nowhere) return;
    Worker worker;
    std::size_t busy = 0;
    {
      const std::lock_guard lock(mutex_);
      worker = seats_[member].worker;
      busy = schedule_.busy();
    }
    // Whoever has the role brings this answer too.
    if (!worker || !worker->connection().receive_role().try_take()) return;
    const bool may_spin = ++spinners_ + busy <= cores_;
    receive_until(call, deadline, member, worker, may_spin);
    --spinners_;
    if (worker->connection().receive_role().let_go()) worker->ring_reactor();
    // It sleeps here, unless the call went to another worker meanwhile.
    if (call.at.load(std::memory_order_relaxed) == member) return;
  }
}

// Lets go only when the worker is to ring for what it sends next, or the reactor is to look.
void Calls::receive_until(const detail::Call& call, Deadline deadline, Member member,
                          const Worker& worker, bool may_spin) {
  ipc::Link& link = worker->connection().link();
  link.disarm();
  const auto limit = may_spin ? ipc::SpinPolicy::longest : ipc::SpinPolicy::Time::zero();
  const auto is_over = [&] {
    return call.ready() || call.at.load(std::memory_order_relaxed) != member || passed(deadline);
  };
  rpc::AppEnd::Message message;
  for (int others = 0; others < answers_for_others;) {
    const Turn turn = receive_one(member, worker, message);
    if (turn == Turn::stop) return;
    if (is_over()) ++others;  // those that are there are taken along, but not for ever
    if (turn == Turn::more) continue;
    if (!is_over() && link.spin_for_frame(limit)) continue;
    if (!link.arm()) return;
    if (is_over()) break;
  }
  worker->ring_reactor();  // what else came is not for this thread
}

void Calls::rang(Member member) {
  Worker worker;
  bool send_violated = false;
  {
    const std::lock_guard lock(mutex_);
    worker = seats_[member].worker;
    if (!worker) return;
    worker->connection().flush();
    send_violated = worker->connection().send_violated();
  }
  if (send_violated) return violated(worker, "it moved the end of its request ring");
  rpc::ReceiveRole& role = worker->connection().receive_role();
  if (!role.try_take_or_knock()) return;
  receive_some(member, worker);
  if (role.let_go()) worker->ring_reactor();
}

void Calls::receive_some(Member member, const Worker& worker) {
  ipc::Link& link = worker->connection().link();
  link.disarm();
  rpc::AppEnd::Message message;
  for (int answers = 0; answers < answers_for_others; ++answers) {
    const Turn turn = receive_one(member, worker, message);
    if (turn == Turn::stop || (turn == Turn::nothing && !link.arm())) return;
  }
  worker->ring_reactor();  // others have their turn first
}

Calls::Turn Calls::receive_one(Member member, const Worker& worker, rpc::AppEnd::Message& message) {
  rpc::AppEnd& connection = worker->connection();
  try {
    switch (connection.receive(message)) {
      case rpc::AppEnd::Received::nothing:
        return Turn::nothing;
      case rpc::AppEnd::Received::violation:
        violated(worker, connection.violation());
        return Turn::stop;
      case rpc::AppEnd::Received::message:
        break;
    }
  } catch (const std::bad_alloc&) {
    violated(worker, "there is no memory for what it answers");
    return Turn::stop;
  }
  take_answer(member, worker, message);
  return Turn::more;
}

void Calls::take_answer(Member member, const Worker& worker, const rpc::AppEnd::Message& message) {
  if (message.head.kind == rpc::Kind::ready || message.head.kind == rpc::Kind::refused)
    return worker->said(message);
  rpc::AppEnd& connection = worker->connection();
  std::optional<rpc::OpenCall> open;
  {
    const std::lock_guard lock(mutex_);
    open = connection.close(message.head);
    if (open) {
      --held_;
      schedule_.returned(member);
      dispatch();
      if (schedule_.load(member) == 0) relieve(member);
    }
  }
  if (!open) return violated(worker, "it answered a call that it did not have");
  auto verdict = rpc::judge(*open->call, message, worker->name());
  if (!verdict.violation.empty()) {
    const std::lock_guard lock(mutex_);
    connection.reopen(std::move(*open));
    schedule_.gave(member);
    ++held_;
    return violated(worker, std::move(verdict.violation));
  }
  if (open->life.answered().then == rpc::CallLife::Step::Then::deliver)
    settle(*open, std::move(verdict.error));
}

void Calls::violated(const Worker& worker, std::string how) {
  if (const auto listener = listener_.lock()) listener->worker_violated(worker, std::move(how));
}

// ------------------------------------------------------------ settling

// Counted first: who has seen the answer sees it in the statistics.
void Calls::settle(const rpc::OpenCall& open, std::exception_ptr error) {
  ++(error ? failed_ : completed_);
  open.call->settle(std::move(error));
  if (--open_ == 0 && watched_.load())
    if (const auto listener = listener_.lock()) listener->all_settled();
}

void Calls::lost(rpc::AppEnd::Left calls, const Why& why) {
  std::vector<rpc::OpenCall> failed;
  {
    const std::lock_guard lock(mutex_);
    std::vector<rpc::OpenCall> again;
    using Then = rpc::CallLife::Step::Then;
    const auto sort_out = [&](rpc::OpenCall& open, bool begun) {
      const Then then = open.life.worker_lost(begun).then;
      open.call->at.store(detail::Call::nowhere, std::memory_order_relaxed);
      if (then == Then::requeue)
        (closed_ ? failed : again).push_back(std::move(open));
      else if (then == Then::fail)
        failed.push_back(std::move(open));
    };
    for (auto& open : calls.begun) sort_out(open, true);
    for (auto& open : calls.not_begun) sort_out(open, false);
    // They were first, and stay so.
    queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
    dispatch();
  }
  for (auto& open : failed) {
    settle(open, std::make_exception_ptr(why(open)));
  }
}

void Calls::refuse(std::optional<Error> why) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(why);
}

void Calls::fail_queued(const Error& why) {
  std::deque<rpc::OpenCall> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(queue_);
  }
  fail(calls, why);
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
    fail(left.begun, why);
    fail(left.not_begun, why);
  }
}

template <class OpenCalls>
void Calls::fail(OpenCalls& calls, const Error& why) {
  for (auto& open : calls)
    if (open.life.shut_down().then == rpc::CallLife::Step::Then::fail)
      settle(open, std::make_exception_ptr(why));
}

// ------------------------------------------------------------ the crew's side

void Calls::seat(Member member, Worker worker) {
  const std::lock_guard lock(mutex_);
  seats_[member] = {.worker = std::move(worker)};
}

void Calls::joined(Member member) {
  const std::lock_guard lock(mutex_);
  schedule_.joined(member);
  dispatch();
  relieve(member);
}

void Calls::ask_to_leave(Member member) {
  const std::lock_guard lock(mutex_);
  if (seats_[member].worker) seats_[member].worker->connection().leave();
}

std::optional<rpc::AppEnd::Left> Calls::left(Member member) {
  Worker worker;
  {
    const std::lock_guard lock(mutex_);
    worker = seats_[member].worker;
    schedule_.left(member);  // it gets nothing more
  }
  rpc::ReceiveRole& role = worker->connection().receive_role();
  if (!role.try_take_or_knock()) return std::nullopt;
  rpc::AppEnd::Message message;
  while (receive_one(member, worker, message) == Turn::more) {
  }
  static_cast<void>(role.let_go());  // who is turned away now has nothing left to receive
  const std::lock_guard lock(mutex_);
  rpc::AppEnd::Left left = worker->connection().drain();
  held_ -= left.begun.size() + left.not_begun.size();
  seats_[member].worker.reset();
  return left;
}

void Calls::fill(PoolStats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.workers = schedule_.members();
  stats.queued = waiting();
  stats.in_flight = schedule_.busy();
  stats.completed = completed_.load();
  stats.failed = failed_.load();
}

}  // namespace bulkhead::pool
