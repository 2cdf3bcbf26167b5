// What the calls of a crew need of its reactor: to be looked after, and workers ended for them.
#include <utility>

#include "pool/crew.hpp"

namespace bulkhead::pool {

void Crew::rounds_are_due() {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this()] { self->make_rounds(); });
}

// For as long as threads come and go.
void Crew::make_rounds() {
  constexpr auto every = std::chrono::milliseconds(1);
  if (!timers_) return;  // all is over
  timers_->rounds.start(Clock::now() + every, weak_from_this(), [this] {
    if (calls_->make_round()) make_rounds();
  });
}

void Crew::deadline_ahead(Clock::time_point when) {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this(), when] { self->look_at_deadlines(when); });
}

void Crew::look_at_deadlines(Clock::time_point when) {
  if (!timers_ || (next_look_ && *next_look_ <= when)) return;
  next_look_ = when;
  timers_->deadline.start(when, weak_from_this(), [this] {
    next_look_.reset();
    if (const auto next = calls_->look_at_deadlines()) look_at_deadlines(*next);
  });
}

void Crew::worker_overdue(Calls::Worker worker, Cause why) {
  if (const auto reactor = hold_reactor())
    reactor->post([worker = std::move(worker), why] { worker->kill(why); });
}

namespace {

// Keeps the reactor until the call has had its turns.
void post_turn(const std::shared_ptr<reactor::Reactor>& reactor,
               const std::shared_ptr<detail::Call>& call) {
  reactor->post([reactor, call] {
    if (call->tell_progress()) post_turn(reactor, call);
  });
}

}  // namespace

bool Crew::progress_came(const std::shared_ptr<detail::Call>& call) {
  const auto reactor = hold_reactor();
  if (reactor) post_turn(reactor, call);
  return reactor != nullptr;
}

void Crew::worker_violated(Calls::Worker worker, std::string how) {
  const auto reactor = hold_reactor();
  if (!reactor) return;
  reactor->post([self = shared_from_this(), worker = std::move(worker), how = std::move(how)] {
    // Calls have been failed under its hands: what it still answers is no fault of its own.
    if (self->ending_.stage() != Ending::Stage::terminating)
      worker->kill(Cause::protocol_violation, how);
  });
}

}  // namespace bulkhead::pool
