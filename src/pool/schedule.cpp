#include "pool/schedule.hpp"

namespace bulkhead::pool {

void Schedule::joined(Member member, std::size_t at_once) {
  left(member);
  ++present_;
  places_[member] = {.at_once = at_once};
}

void Schedule::retire(Member member) {
  if (!present(member) || places_[member].retired) return;
  places_[member].retired = true;
  --present_;
}

void Schedule::left(Member member) {
  if (!present(member)) return;
  running_ -= places_[member].running();
  if (!places_[member].retired) --present_;
  places_[member] = {};
}

// In a worker that runs one call at a time, each is alone.
bool Schedule::takes(const Place& place, Run run) const {
  if (place.at_once == 0 || place.alone || place.retired) return false;
  if (run == Run::alone && place.at_once > 1) return place.load == 0;
  return place.load < (place.reserved ? place.at_once : std::max(ahead_, place.at_once));
}

// The load is measured by the threads that share it. So one with a free thread always comes first.
bool Schedule::is_less(Member one, Member other) const {
  const Place &a = places_[one], &b = places_[other];
  return a.load * b.at_once < b.load * a.at_once;
}

std::optional<Schedule::Member> Schedule::pick(Run run) const {
  if (most_busy_ < places_.size())
    if (const auto member = pick_from_crowd(run)) return member;
  return pick_from_all(run);
}

std::optional<Schedule::Member> Schedule::pick_from_all(Run run) const {
  std::optional<Member> best;
  for (Member member = 0; member < places_.size(); ++member) {
    if (!takes(places_[member], run)) continue;
    if (places_[member].load == 0) return member;
    if (!best || is_less(member, *best)) best = member;
  }
  return best;
}

// Empty as long as fewer are busy than may be, or none of them takes any more.
std::optional<Schedule::Member> Schedule::pick_from_crowd(Run run) const {
  std::optional<Member> best;
  std::size_t busy = 0;
  for (Member member = 0; member < places_.size(); ++member) {
    const Place& place = places_[member];
    if (place.load == 0 || place.stuck) continue;
    ++busy;
    if (takes(place, run) && (!best || is_less(member, *best))) best = member;
  }
  return busy >= most_busy_ ? best : std::nullopt;
}

bool Schedule::others_take(Member member) const {
  for (Member other = 0; other < places_.size(); ++other) {
    const Place& place = places_[other];
    const bool flows = place.load == 0 || (most_busy_ < places_.size() && !place.stuck);
    if (other != member && flows && takes(place, Run::beside_others)) return true;
  }
  return false;
}

void Schedule::gave(Member member, Run run) {
  if (!present(member)) return;
  Place& place = places_[member];
  if (place.load++ < place.at_once) ++running_;
  place.alone |= run == Run::alone && place.at_once > 1;
}

void Schedule::returned(Member member, std::size_t count) {
  if (!present(member)) return;
  Place& place = places_[member];
  running_ -= place.running();
  place.load -= count;
  running_ += place.running();
  if (place.load == 0) place.alone = false;
}

bool Schedule::has_free_thread(Member member) const {
  const Place& place = places_[member];
  return place.load < place.at_once && !place.alone && !place.retired;
}

// From the one with most calls that no thread runs: as many as even out what both hold. What a
// retired one has not begun was taken back: if it holds more than it runs, those are answered.
std::optional<Schedule::Theft> Schedule::relief_for(Member free,
                                                    const std::vector<Member>& not_from) const {
  if (!has_free_thread(free)) return std::nullopt;
  const auto may_give = [&](Member member) {
    return !places_[member].retired &&
           std::find(not_from.begin(), not_from.end(), member) == not_from.end();
  };
  Member most = free;
  for (Member member = 0; member < places_.size(); ++member)
    if (places_[member].waiting() > places_[most].waiting() && may_give(member)) most = member;
  const Place &to = places_[free], &from = places_[most];
  if (from.waiting() == 0) return std::nullopt;
  const std::size_t share = (to.load + from.load) * to.at_once / (to.at_once + from.at_once);
  const std::size_t fair = share > to.load ? share - to.load : 1;
  return Theft{most, std::min(fair, from.waiting())};
}

}  // namespace bulkhead::pool
