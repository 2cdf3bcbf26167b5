// How a crew tells of its start and of its end those who have no thread that could wait for it.
#include <utility>

#include "pool/crew.hpp"

namespace bulkhead::pool {

void Crew::start(ToldStart told) {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this(), told = std::move(told)]() mutable {
      self->begin_start(std::move(told));
    });
  else
    told(why_not_started());  // called off already
}

// Not from where it is decided: there it is in the middle of something.
void Crew::begin_start(ToldStart told) {
  told_start_ = std::move(told);
  started_.then([this] {
    if (const auto reactor = hold_reactor())
      reactor->post([self = shared_from_this()] { self->start_decided(); });
  });
  ended_.then([this] { tell_start(why_not_started()); });
  if (!ending_.begun()) launch_source();
}

void Crew::start_decided() {
  if (ending_.begun()) return;  // then its end is told
  if (someone_got_ready_) return tell_start(std::nullopt);
  end(ending_.kill_now(Clock::now()));
}

void Crew::tell_start(std::optional<Error> why) {
  if (const auto told = std::exchange(told_start_, {})) told(std::move(why));
}

Error Crew::why_not_started() const {
  if (called_off_ || !first_failure_)
    return Error(errc::cancelled,
                 "the start of the " + plan_.contract.service + " worker was called off");
  return *first_failure_;
}

// Once it is told it is over, and its owner's to end.
void Crew::call_off() {
  const auto reactor = hold_reactor();
  if (!reactor) return;
  reactor->post([self = shared_from_this()] {
    if (self->ending_.begun() || (self->someone_got_ready_ && !self->told_start_)) return;
    self->called_off_ = true;
    self->end(self->ending_.kill_now(Clock::now()));
  });
}

ShutdownReport Crew::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Crew::shut_down(std::chrono::milliseconds grace, ToldShutdown told) {
  const auto reactor = hold_reactor();
  if (!reactor) return told(report());
  reactor->post([self = shared_from_this(), grace, told = std::move(told)]() mutable {
    self->end(self->ending_.shut_down(Clock::now(), grace));
    self->ended_.then([crew = self.get(), told = std::move(told)] { told(crew->report()); });
  });
}

}  // namespace bulkhead::pool
