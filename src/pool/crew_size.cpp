// How a crew performs what the rules of its size say (size.hpp).
#include <algorithm>
#include <utility>

#include "pool/crew.hpp"

namespace bulkhead::pool {

namespace {

// Short calls that come together are answered before another worker is there.
constexpr std::chrono::milliseconds patience{2};

}  // namespace

std::size_t Crew::count(Duty duty) const {
  return static_cast<std::size_t>(
      std::count_if(seats_.begin(), seats_.end(), [&](const Seat& seat) { return seat.is(duty); }));
}

// For one more that is not staff.
bool Crew::has_room_beside() const {
  return count(Duty::leaving) + count(Duty::relief) + count(Duty::candidate) <
         seats_.size() - most_staff();
}

// ------------------------------------------------------------ growing

void Crew::calls_wait() {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this()] { self->grow_soon(); });
}

void Crew::grow_soon() {
  if (!timers_ || over()) return;
  const auto wait = staff_to_be() == 0 ? std::chrono::milliseconds::zero() : patience;
  timers_->growth->start(Clock::now() + wait, weak_from_this(), [this] { grow(); });
}

// For as long as calls wait.
void Crew::grow() {
  if (over() || !size_.may_grow()) return;
  const std::size_t waiting = calls_->waiting_for_anyone();
  if (waiting == 0) return calls_->watch_waiting();
  const std::size_t more = size_.grow(waiting, coming());
  openings_.insert(openings_.end(), more, std::max(Clock::now(), next_start_));
  roster_.resize(size_.now());
  call_up();
  start_again();
  look_for_idle();
  grow_soon();
}

// Workers that are being started, or will be.
std::size_t Crew::coming() const {
  return openings_.size() +
         static_cast<std::size_t>(std::count_if(seats_.begin(), seats_.end(), [](const Seat& seat) {
           return seat.is(Duty::staff) && seat.worker->starting();
         }));
}

// ------------------------------------------------------------ shrinking

void Crew::look_for_idle() {
  if (!timers_ || over() || !size_.may_shrink()) return;
  timers_->idle->start(Clock::now() + size_.until_next_look(), weak_from_this(), [this] {
    shrink();
    look_for_idle();
  });
}

void Crew::shrink() {
  const auto now = Clock::now();
  for (Member member = 0; member < seats_.size(); ++member) {
    if (!seats_[member].is(Duty::staff) || !roster_.is_active(member)) continue;
    const auto [answered, busy] = calls_->activity(member);
    size_.saw(member, answered, busy, now);
  }
  while (has_room_beside() && !reload_.running()) {
    const auto member = size_.shrink(now);
    if (!member) return;
    roster_.resize(size_.now());
    let_go(*member, Cause::shut_down);
    calls_->watch_waiting();
  }
}

// It gets nothing more, and ends when it has answered what it has begun.
void Crew::let_go(Member member, Cause why) {
  seats_[member].duty = Duty::leaving;
  worker::WorkerProcess& worker = *seats_[member].worker;
  size_.left(member);
  if (!worker.was_ready()) return worker.kill(why);
  const bool spare = roster_.is_spare(member);
  roster_.left(member);
  call_up();  // first, so that what this one has not begun finds somebody
  worker.asked_to_leave(why);
  calls_->retire(member);
  if (spare) worker.leave_within(connect_timeout_);
}

}  // namespace bulkhead::pool
