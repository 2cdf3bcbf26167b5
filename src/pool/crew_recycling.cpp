// How a crew replaces workers that have served for long enough (wear.hpp): another gets ready
// beside them first.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "platform/log.hpp"
#include "platform/proc.hpp"
#include "pool/crew.hpp"

namespace bulkhead::pool {

namespace {

constexpr std::chrono::milliseconds between_readings{100};

}  // namespace

void Crew::begin_wear(Member member) {
  const double chance = std::uniform_real_distribution<double>(0.0, 1.0)(dice_);
  seats_[member].wear.emplace(wear_limits_, Clock::now(), chance);
  if (timers_->memory) look_at_memory();
  if (timers_->age) look_at_age();
}

void Crew::worker_worn(Calls::Worker worker) {
  if (const auto reactor = hold_reactor())
    reactor->post([self = shared_from_this(), number = worker->number()] {
      if (const auto member = self->member_of(number)) self->wear_out(*member);
    });
}

void Crew::work_was_done() {
  const auto reactor = hold_reactor();
  if (!reactor) return;
  reactor->post([self = shared_from_this()] {
    if (!self->timers_) return;
    self->timers_->memory->start(Clock::now() + between_readings, self->weak_from_this(),
                                 [crew = self.get()] { crew->look_at_memory(); });
  });
}

// Once a worker has begun to work, it is looked at a little later.
void Crew::look_at_memory() {
  for (Member member = 0; member < seats_.size(); ++member) {
    Seat& seat = seats_[member];
    if (!seat.worker || !seat.wear) continue;
    if (seat.wear->is_worn_by_memory(platform::resident_bytes(seat.worker->pid())))
      wear_out(member);
  }
  calls_->watch_work();
}

void Crew::look_at_age() {
  std::optional<Clock::time_point> next;
  const auto now = Clock::now();
  for (Member member = 0; member < seats_.size(); ++member) {
    const Seat& seat = seats_[member];
    const auto end = seat.worker && seat.wear ? seat.wear->end() : std::nullopt;
    if (!end || seat.worn) continue;
    if (*end <= now)
      wear_out(member);
    else
      next = std::min(next.value_or(*end), *end);
  }
  if (next) timers_->age->start(*next, weak_from_this(), [this] { look_at_age(); });
}

void Crew::wear_out(Member member) {
  Seat& seat = seats_[member];
  if (!seat.is(Duty::staff) || std::exchange(seat.worn, true)) return;
  recycle();
}

// As many at once as there is room for; none while all are replaced anyway, or while workers die.
void Crew::recycle() {
  if (over() || reload_.running() || !source_ || !source_->serving()) return;
  const auto is_worn = [](const Seat& seat) { return seat.is(Duty::staff) && seat.worn; };
  auto worn = static_cast<std::size_t>(std::count_if(seats_.begin(), seats_.end(), is_worn));
  if (worn == 0) return;
  if (next_start_ > Clock::now()) return recycle_later();
  for (worn -= std::min(worn, count(Duty::relief)); worn > 0 && has_room_beside(); --worn)
    start_worker(source_, Duty::relief);
}

void Crew::recycle_later() {
  timers_->recycling->start(next_start_, weak_from_this(), [this] { recycle(); });
}

// It takes the place of one that is worn; or of one that has died meanwhile.
void Crew::relief_ready(Member member) {
  seats_[member].duty = Duty::staff;
  settle_surplus();
  recycle();
}

void Crew::settle_surplus() {
  while (count(Duty::staff) + openings_.size() > staff_to_be()) {
    if (!openings_.empty()) {
      openings_.pop_back();
      continue;
    }
    const auto is_worn = [](const Seat& seat) { return seat.is(Duty::staff) && seat.worn; };
    auto seat = std::find_if(seats_.begin(), seats_.end(), is_worn);
    const bool worn = seat != seats_.end();
    if (!worn)
      seat = std::find_if(seats_.begin(), seats_.end(),
                          [](const Seat& each) { return each.is(Duty::staff); });
    let_go(static_cast<Member>(seat - seats_.begin()), worn ? Cause::recycled : Cause::shut_down);
  }
}

}  // namespace bulkhead::pool
