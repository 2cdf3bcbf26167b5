// How the calls of a pool get their answers: by the thread that waits for one, or by the reactor.
#include <algorithm>
#include <utility>

#include "platform/clock.hpp"
#include "platform/cpu.hpp"
#include "platform/fault.hpp"
#include "pool/calls.hpp"
#include "pool/stop_error.hpp"
#include "rpc/deliver.hpp"
#include "rpc/logged.hpp"

namespace bulkhead::pool {

namespace {

// How often a thread that waits for one answer takes others' before it lets the reactor go on.
constexpr int batches_for_others = 16;

bool passed(detail::AnswerSource::Deadline deadline) {
  return deadline && std::chrono::steady_clock::now() >= *deadline;
}

}  // namespace

void Calls::receive_for(detail::Call& call, Deadline deadline) {
  if (!home_.here()) return call.settle_lost(out_of_reach());
  while (!call.ready() && !passed(deadline)) {
    const std::uint32_t member = call.at.load(std::memory_order_relaxed);
    if (member >= seats_.size()) return;  // it waits in the queue, or is about to be settled
    // Whoever has the role brings this answer too.
    if (!seats_[member].role.try_take()) return;
    receive_until(call, deadline, member);
    let_go(member);
    // It sleeps here, unless the call went to another worker meanwhile.
    if (call.at.load(std::memory_order_relaxed) == member) return;
  }
}

void Calls::let_go(Member member) {
  if (!seats_[member].role.let_go()) return;
  const std::lock_guard lock(mutex_);
  if (const Worker& worker = seats_[member].worker) worker->ring_reactor();
}

// Lets go only when the worker is to ring for what it sends next, or the reactor is to look.
void Calls::receive_until(detail::Call& call, Deadline deadline, Member member) {
  Seat& seat = seats_[member];
  rpc::AppEnd& connection = seat.worker->connection();
  connection.link().disarm();
  const auto is_over = [&] {
    return call.ready() || call.at.load(std::memory_order_relaxed) != member || passed(deadline) ||
           seat.role.demanded();
  };
  for (int others = 0; others < batches_for_others;) {
    const Turn turn = receive_batch(member);
    if (turn == Turn::stop) return;
    const bool over = is_over();
    if (over) ++others;  // those that are there are taken along, but not for ever
    if (turn == Turn::more) continue;
    if (over) {
      const bool soon = connection.held() > 0 || seat.role.comes_often(connection.last_answer());
      // A worker that has nothing ahead must not wait for the round.
      if (soon && !in_turn_.load(std::memory_order_relaxed) &&
          kept_.load(std::memory_order_relaxed) == 0)
        return leave_unattended(seat);
      if (!connection.link().arm()) return;
    } else if (!spin_for_answer(connection.link())) {
      sleep_until_rung(call, deadline, member);
    }
  }
  seat.worker->ring_reactor();  // what else came is not for this thread
}

// Only while those that run calls, and those that spin for answers, have a core each.
bool Calls::spin_for_answer(ipc::Link& link) {
  std::size_t running = 0;
  {
    const std::lock_guard lock(mutex_);
    running = schedule_.running();
  }
  const bool may_spin = ++spinners_ + running <= cores_;
  const bool there =
      link.spin_for_frame(may_spin ? ipc::SpinPolicy::longest : ipc::SpinPolicy::Time::zero());
  --spinners_;
  return there;
}

// The worker rings for this thread alone. Whoever settles the call, moves it, or needs the role
// nudges it.
void Calls::sleep_until_rung(detail::Call& call, Deadline deadline, Member member) {
  const Worker& worker = seats_[member].worker;
  rpc::AppEnd& connection = worker->connection();
  if (!call.begin_sleep({worker, &connection})) return;
  // Seen here, or seen to sleep by the one who moves it.
  if (call.at.load() == member && !connection.link().arm(ipc::Ear::direct))
    connection.link().bell().hear(deadline, ipc::Ear::direct);
  connection.link().disarm();
  call.end_sleep();
}

// This thread will be back for the next answer, as a rule.
void Calls::leave_unattended(Seat& seat) {
  if (seat.role.leave_unattended()) begin_rounds();
}

void Calls::begin_rounds() {
  if (rounds_.load() || rounds_.exchange(true)) return;
  if (const auto listener = listener_.lock()) listener->rounds_are_due();
}

bool Calls::make_round() {
  for (Member member = 0; member < seats_.size(); ++member) {
    rpc::ReceiveRole& role = seats_[member].role;
    if (!role.unattended() || !role.is_forsaken() || !role.try_take()) continue;
    role.attend();
    receive_some(member);
    let_go(member);
  }
  if (watch_flow() || anyone_unattended()) return true;
  // Whoever leaves one now sees this, or is seen.
  rounds_.store(false);
  return anyone_unattended() && !rounds_.exchange(true);
}

// Crowds the calls while they are short and flow, and leaves none behind one that is long. True
// while there is something to watch.
bool Calls::watch_flow() {
  const std::lock_guard lock(mutex_);
  const Flow::Crowd crowd = flow_.look(answered_, schedule_.running());
  schedule_.crowd(crowd == Flow::Crowd::none       ? seats_.size()
                  : crowd == Flow::Crowd::to_cores ? cores_
                                                   : std::max<std::size_t>(cores_ - 1, 1));
  bool some_wait = false;
  for (Member member = 0; member < seats_.size(); ++member) {
    Seat& seat = seats_[member];
    const bool stuck = std::exchange(seat.last_round, seat.answered) == seat.answered;
    const std::size_t waiting = schedule_.waiting(member);
    schedule_.note_stuck(member, stuck && waiting > 0);
    if (waiting == 0 || schedule_.is_retired(member) || !schedule_.others_take(member)) continue;
    some_wait = true;
    if (stuck) take_back(member, waiting);
  }
  dispatch();
  return crowd != Flow::Crowd::none || flow_.undecided() || some_wait;
}

bool Calls::anyone_unattended() const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [](const Seat& seat) { return seat.role.unattended(); });
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
  if (!seats_[member].role.try_take_or_knock()) return;
  receive_some(member);
  let_go(member);
}

void Calls::receive_some(Member member) {
  const Worker& worker = seats_[member].worker;
  ipc::Link& link = worker->connection().link();
  link.disarm();
  for (int batches = 0; batches < batches_for_others; ++batches) {
    const Turn turn = receive_batch(member);
    if (turn == Turn::stop || (turn == Turn::nothing && !link.arm())) return;
  }
  worker->ring_reactor();  // others have their turn first
}

Calls::Turn Calls::receive_batch(Member member) {
  const Worker& worker = seats_[member].worker;
  rpc::AppEnd& connection = worker->connection();
  auto [messages, behind] = connection.receive_batch();
  if (!messages.empty()) {
    const bool answers_only = messages.back().is_answer();
    if (!take_answers(member, answers_only ? messages : messages.first(messages.size() - 1)))
      return Turn::stop;
    if (!answers_only && !take_other(member, messages.back())) return Turn::stop;
  }
  if (behind == rpc::AppEnd::Received::violation) violated(worker, connection.violation());
  return behind == rpc::AppEnd::Received::message   ? Turn::more
         : behind == rpc::AppEnd::Received::nothing ? Turn::nothing
                                                    : Turn::stop;
}

// False when one of them cannot be.
bool Calls::take_answers(Member member, Answers answers) {
  if (answers.empty()) return true;
  Seat& seat = seats_[member];
  const Worker& worker = seat.worker;
  const std::size_t closed = close(member, answers);
  platform::fault_point("app.before_delivery");
  std::size_t delivered = 0;
  for (std::size_t i = 0; i < closed; ++i) {
    rpc::OpenCall& open = answers[i].open;
    const bool wanted = open.life.state() != rpc::CallLife::State::abandoned;
    auto verdict = rpc::judge(*open.call, answers[i], worker->name(),
                              worker->connection().blobs().get(), wanted);
    if (!verdict.violation.empty()) {
      settled(delivered);
      reopen(member, answers.subspan(i, closed - i));
      distrust(worker, std::move(verdict.violation));
      return false;
    }
    delivered += deliver(seat, answers[i], std::move(verdict.error));
    open.call.reset();
  }
  settled(delivered);
  if (closed < answers.size()) distrust(worker, "it answered a call that it did not have");
  return closed == answers.size();
}

// Counted first: who has seen the answer sees it in the statistics. False where its caller was told
// before.
bool Calls::deliver(Seat& seat, rpc::AppEnd::Message& answer, std::exception_ptr error) {
  rpc::OpenCall& open = answer.open;
  const rpc::CallLife::Step step = open.life.answered();
  if (step.then == rpc::CallLife::Step::Then::nothing) {
    open.call->drop_carried();
    return false;
  }
  if (step.then == rpc::CallLife::Step::Then::fail)
    error = std::make_exception_ptr(
        stop_error(service_, *open.call, step.failure, "its handler ended when it was asked to"));
  if (error)
    ++failed_;
  else
    seat.completed.store(seat.completed.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  if (limits_.events) tell_settled(*open.call, {answer.waited, answer.ran}, error);
  open.call->settle(std::move(error));
  return true;
}

// Up to the first that answers nothing. What waits takes the place of what is answered.
std::size_t Calls::close(Member member, Answers answers) {
  Seat& seat = seats_[member];
  std::size_t closed = 0;
  News news;
  {
    const std::lock_guard lock(mutex_);
    const auto now = platform::coarse_now();
    for (; closed < answers.size(); ++closed) {
      auto open = seat.worker->connection().close(answers[closed].head, now);
      if (!open) break;
      answers[closed].open = *std::move(open);
    }
    held_ -= closed;
    answered_ += closed;
    tick(now);
    measure(seat, answers.first(closed));
    news.worn = seat.answered < seat.worn_at && seat.answered + closed >= seat.worn_at;
    news.worked = std::exchange(watches_work_, false);
    seat.answered += closed;
    schedule_.returned(member, closed);
    has_done_some(member);
    news.spent = schedule_.spent(member);
  }
  if (news.spent || news.worn || news.worked) tell(news, seat.worker);
  return closed;
}

// An answer that cannot be, and those behind it: they count as begun.
void Calls::reopen(Member member, Answers answers) {
  const std::lock_guard lock(mutex_);
  for (auto& answer : answers) {
    seats_[member].worker->connection().reopen(std::move(answer.open));
    schedule_.gave(member);
    ++held_;
  }
}

// What is no answer. False when it cannot be.
bool Calls::take_other(Member member, const rpc::AppEnd::Message& message) {
  if (message.head.kind == rpc::Kind::progress) return take_progress(member, message);
  if (message.head.kind == rpc::Kind::logged) return take_line(member, message);
  seats_[member].worker->said(message);
  return true;
}

bool Calls::take_progress(Member member, const rpc::AppEnd::Message& message) {
  const Worker& worker = seats_[member].worker;
  std::shared_ptr<detail::Call> call;
  {
    const std::lock_guard lock(mutex_);
    if (const rpc::OpenCall* const open = worker->connection().about(message.head))
      call = open->call;
  }
  const rpc::Told told =
      call ? rpc::take_progress(*call, message)
           : rpc::Told{.violation = "it told of the progress of a call that it did not have"};
  if (!told.violation.empty()) return distrust(worker, told.violation), false;
  if (!told.turn_is_due) return true;
  const auto listener = listener_.lock();
  if (!listener || !listener->progress_came(call)) call->skip_progress();
  return true;
}

// For the log. A call is named only if the worker has it.
bool Calls::take_line(Member member, const rpc::AppEnd::Message& message) {
  const Worker& worker = seats_[member].worker;
  const auto logged = rpc::read_logged(message);
  if (!logged) return distrust(worker, "it logged a line of a level that there is not"), false;
  if (!worker->admits_line(logged->lost)) return true;
  rpc::CallId call = 0;
  if (message.head.ticket != 0) {
    const std::lock_guard lock(mutex_);
    if (worker->connection().about(message.head)) call = message.head.id;
  }
  worker->logged({logged->level, call, std::string(logged->text)});
  return true;
}

// Whatever else it sends: whoever writes into its ring could keep us there for ever.
void Calls::distrust(const Worker& worker, std::string how) {
  worker->connection().distrust(how);
  violated(worker, std::move(how));
}

void Calls::tell(const News& news, const Worker& worker) {
  const auto listener = listener_.lock();
  if (!listener) return;
  if (news.spent) listener->worker_spent(worker);
  if (news.worn) listener->worker_worn(worker);
  if (news.worked) listener->work_was_done();
}

void Calls::violated(const Worker& worker, std::string how) {
  if (const auto listener = listener_.lock()) listener->worker_violated(worker, std::move(how));
}

}  // namespace bulkhead::pool
