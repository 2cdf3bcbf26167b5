// How a crew sees workers that have stopped beating (beats.hpp).
#include "pool/crew.hpp"

namespace bulkhead::pool {

void Crew::look_at_beats() {
  if (!timers_ || !timers_->beat || over()) return;
  for (Seat& seat : seats_)
    if (seat.worker && seat.worker->was_ready() && !seat.worker->dead()) look_at_beats_of(seat);
  timers_->beat->start(Clock::now() + plan_.options.heartbeat, weak_from_this(),
                       [this] { look_at_beats(); });
}

void Crew::look_at_beats_of(Seat& seat) {
  const auto& hints = seat.worker->connection().link().segment().hints();
  const auto verdict = seat.beats.look(hints.beats.load(std::memory_order_relaxed));
  seat.worker->note_suspect(seat.beats.suspect());
  if (verdict == Beats::Verdict::recovered) tell(EventKind::recovered, *seat.worker);
  if (verdict != Beats::Verdict::suspect) return;
  tell(EventKind::suspect, *seat.worker);
  if (plan_.options.kill_suspects) seat.worker->kill(Cause::stopped_beating);
}

}  // namespace bulkhead::pool
