#include "pool/size.hpp"

#include <algorithm>

namespace bulkhead::pool {

std::size_t Size::grow(std::size_t waiting, std::size_t coming) {
  const std::size_t wanted = waiting > coming ? waiting - coming : 0;
  const std::size_t more = std::min(wanted, limits_.most - std::min(limits_.most, now_));
  now_ += more;
  return more;
}

void Size::saw(Member member, std::uint64_t answered, bool busy, Time now) {
  if (busy) return left(member);
  const auto seen =
      std::find_if(seen_.begin(), seen_.end(), [&](auto& each) { return each.member == member; });
  if (seen == seen_.end())
    seen_.push_back({member, answered, now});
  else if (seen->answered != answered)
    *seen = {member, answered, now};
}

void Size::left(Member member) {
  std::erase_if(seen_, [&](const Seen& each) { return each.member == member; });
}

std::optional<Size::Member> Size::shrink(Time now) {
  if (!may_shrink() || seen_.empty()) return std::nullopt;
  const auto longest = std::min_element(
      seen_.begin(), seen_.end(), [](auto& a, auto& b) { return a.idle_since < b.idle_since; });
  if (now - longest->idle_since < limits_.idle_timeout) return std::nullopt;
  const Member member = longest->member;
  left(member);
  --now_;
  return member;
}

std::chrono::nanoseconds Size::until_next_look() const {
  return std::max<std::chrono::nanoseconds>(limits_.idle_timeout / 4, std::chrono::milliseconds(1));
}

}  // namespace bulkhead::pool
