#include "pool/schedule.hpp"

namespace bulkhead::pool {

void Schedule::joined(Member member) {
  if (!loads_[member]) ++present_;
  loads_[member] = 0;
}

void Schedule::left(Member member) {
  if (!loads_[member]) return;
  if (*loads_[member] > 0) --busy_;
  --present_;
  loads_[member].reset();
}

std::optional<Schedule::Member> Schedule::pick() const {
  std::optional<Member> best;
  for (Member member = 0; member < loads_.size(); ++member) {
    if (!loads_[member] || *loads_[member] >= ahead_) continue;
    if (*loads_[member] == 0) return member;
    if (!best || *loads_[member] < *loads_[*best]) best = member;
  }
  return best;
}

void Schedule::gave(Member member) {
  if (!loads_[member]) return;
  if ((*loads_[member])++ == 0) ++busy_;
}

void Schedule::returned(Member member, std::size_t count) {
  if (!loads_[member] || count == 0) return;
  if ((*loads_[member] -= count) == 0) --busy_;
}

std::optional<Schedule::Theft> Schedule::relief_for(Member idle) const {
  if (load(idle) > 0 || !present(idle)) return std::nullopt;
  Member most = idle;
  for (Member member = 0; member < loads_.size(); ++member)
    if (load(member) > load(most)) most = member;
  if (load(most) < 2) return std::nullopt;  // it runs the only one that it has
  return Theft{most, load(most) / 2};
}

}  // namespace bulkhead::pool
