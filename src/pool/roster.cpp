#include "pool/roster.hpp"

#include <algorithm>

namespace bulkhead::pool {

void Roster::ready(Member member) {
  left(member);
  spares_.push_back(member);
}

void Roster::left(Member member) {
  std::erase(active_, member);
  std::erase(spares_, member);
}

std::optional<Roster::Member> Roster::call_up() {
  if (active_.size() >= places_ || spares_.empty()) return std::nullopt;
  const Member member = spares_.back();
  spares_.pop_back();
  active_.push_back(member);
  return member;
}

bool Roster::is_active(Member member) const {
  return std::find(active_.begin(), active_.end(), member) != active_.end();
}

bool Roster::is_spare(Member member) const {
  return std::find(spares_.begin(), spares_.end(), member) != spares_.end();
}

}  // namespace bulkhead::pool
