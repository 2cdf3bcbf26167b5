// How the calls of a pool get their answers: by the thread that waits for one, or by the reactor.
#include <algorithm>
#include <utility>

#include "platform/cpu.hpp"
#include "pool/calls.hpp"
#include "rpc/deliver.hpp"

namespace bulkhead::pool {

namespace {

// How many answers a thread that waits for one takes for others before it lets the reactor go on.
constexpr int answers_for_others = 256;

bool passed(detail::AnswerSource::Deadline deadline) {
  return deadline && std::chrono::steady_clock::now() >= *deadline;
}

}  // namespace

void Calls::receive_for(const detail::Call& call, Deadline deadline) {
  while (!call.ready() && !passed(deadline)) {
    const std::uint32_t member = call.at.load(std::memory_order_relaxed);
    if (member == detail::Call::nowhere) return;
    Worker worker;
    std::size_t running = 0;
    {
      const std::lock_guard lock(mutex_);
      worker = seats_[member].worker;
      running = schedule_.running();
    }
    // Whoever has the role brings this answer too.
    if (!worker || !worker->connection().receive_role().try_take()) return;
    const bool may_spin = ++spinners_ + running <= cores_;
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
  return take_answer(member, worker, message);
}

Calls::Turn Calls::take_answer(Member member, const Worker& worker,
                               const rpc::AppEnd::Message& message) {
  if (message.head.kind == rpc::Kind::ready || message.head.kind == rpc::Kind::refused) {
    worker->said(message);
    return Turn::more;
  }
  rpc::AppEnd& connection = worker->connection();
  std::optional<rpc::OpenCall> open;
  bool spent = false;
  {
    const std::lock_guard lock(mutex_);
    open = connection.close(message.head);
    if (open) {
      --held_;
      schedule_.returned(member);
      dispatch();
      if (schedule_.has_free_thread(member)) relieve(member);
      spent = schedule_.spent(member);
    }
  }
  if (spent) tell_spent(worker);
  if (!open) return distrust(worker, "it answered a call that it did not have");
  auto verdict = rpc::judge(*open->call, message, worker->name());
  if (!verdict.violation.empty()) {
    {
      const std::lock_guard lock(mutex_);
      connection.reopen(std::move(*open));
      schedule_.gave(member);
      ++held_;
    }
    return distrust(worker, std::move(verdict.violation));
  }
  if (open->life.answered().then == rpc::CallLife::Step::Then::deliver)
    settle(*open, std::move(verdict.error));
  return Turn::more;
}

// Whatever else it sends: whoever writes into its ring could keep us there for ever.
Calls::Turn Calls::distrust(const Worker& worker, std::string how) {
  worker->connection().distrust(how);
  violated(worker, std::move(how));
  return Turn::stop;
}

void Calls::tell_spent(const Worker& worker) {
  if (const auto listener = listener_.lock()) listener->worker_spent(worker);
}

void Calls::violated(const Worker& worker, std::string how) {
  if (const auto listener = listener_.lock()) listener->worker_violated(worker, std::move(how));
}

}  // namespace bulkhead::pool
