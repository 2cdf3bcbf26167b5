// How a crew performs what the rules of reloading say (reload.hpp).
#include <algorithm>
#include <utility>

#include "pool/crew.hpp"

namespace bulkhead::pool {

// Touches nothing of the crew's after the wait: it may have been destroyed meanwhile.
void Crew::reload() {
  const auto reloading = std::make_shared<Reloading>();
  reloading->failure = shut_down_error();
  if (const auto reactor = hold_reactor()) {
    reactor->post([self = shared_from_this(), reloading] {
      self->to_reload_.push_back(reloading);
      self->begin_reload();
    });
    reloading->done.wait(*reactor);
  }
  if (reloading->failure) throw Error(*reloading->failure);
}

void Crew::begin_reload() {
  if (reload_.running() || to_reload_.empty()) return;
  reloading_ = std::exchange(to_reload_, {});
  if (ending_.begun()) return finish_reload(shut_down_error());
  reload_.begin();
  try {
    next_source_ = launch();
  } catch (const Error& why) {
    fail_reload(why);
  }
}

void Crew::candidate_ready(Member member) {
  seats_[member].duty = Duty::staff;
  if (!openings_.empty()) openings_.pop_back();  // which it has filled
  perform(reload_.ready());
  proceed_with_reload();
}

void Crew::proceed_with_reload() {
  for (auto act = reload_.look(view()); act != Reload::Act::nothing; act = reload_.look(view()))
    perform(act);
}

Reload::View Crew::view() const {
  Reload::View view{.old_servers = sources_.size() > 1};
  std::size_t staff = openings_.size();
  for (const Seat& seat : seats_) {
    if (!seat.worker) continue;
    staff += seat.duty == Duty::staff;
    view.leaving |= seat.duty == Duty::leaving || seat.duty == Duty::relief;
    view.old_workers |= seat.duty == Duty::staff && seat.worker->source() != next_source_;
  }
  view.surplus = staff > staff_to_be();
  return view;
}

void Crew::perform(Reload::Act act) {
  switch (act) {
    case Reload::Act::nothing:
      return;
    case Reload::Act::start:
      return start_worker(next_source_, Duty::candidate);
    case Reload::Act::take_over:
      return take_over();
    case Reload::Act::retire:
      return retire_one();
    case Reload::Act::done:
      return finish_reload(std::nullopt);
  }
}

// The new program has shown that it works: what earlier crashes made the pool wait for is over.
void Crew::take_over() {
  source_ = next_source_;
  next_start_ = {};
  for (auto& start_at : openings_) start_at = next_start_;
  close_idle_sources();
}

void Crew::retire_one() {
  const auto of_staff = [](const Seat& seat) { return seat.worker && seat.duty == Duty::staff; };
  auto seat = std::find_if(seats_.begin(), seats_.end(), [&](const Seat& each) {
    return of_staff(each) && each.worker->source() != next_source_;
  });
  if (seat == seats_.end()) seat = std::find_if(seats_.begin(), seats_.end(), of_staff);
  let_go(static_cast<Member>(seat - seats_.begin()), Cause::shut_down);
}

// It may take as long to leave as one may take to start.
void Crew::worker_spent(Calls::Worker worker) {
  if (const auto reactor = hold_reactor())
    reactor->post([patience = connect_timeout_, worker = std::move(worker)] {
      worker->leave_within(patience);
    });
}

void Crew::fail_reload(const Error& why) {
  if (!reload_.failed()) return;
  for (Seat& seat : seats_) {
    if (!seat.worker || seat.duty != Duty::candidate) continue;
    seat.duty = Duty::leaving;
    seat.worker->kill(Cause::shut_down);
  }
  finish_reload(why);
}

void Crew::finish_reload(const std::optional<Error>& why) {
  next_source_.reset();
  close_idle_sources();
  for (const auto& each : std::exchange(reloading_, {})) {
    each->failure = why;
    each->done.happen();
  }
  start_again();  // which may have waited for it
  begin_reload();
}

void Crew::close_idle_sources() {
  for (const SourcePtr& source : sources_) {
    const bool in_use = source == source_ || source == next_source_ ||
                        std::any_of(seats_.begin(), seats_.end(), [&](const Seat& seat) {
                          return seat.worker && seat.worker->source() == source;
                        });
    if (!in_use) source->close();
  }
}

}  // namespace bulkhead::pool
