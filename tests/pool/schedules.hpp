// Schedules in the middle of their work.
#pragma once

#include <vector>

#include "pool/schedule.hpp"

namespace bulkhead::test {

using pool::Schedule;
using Member = Schedule::Member;

// Workers that hold so many calls, and run so many at once: one, unless told.
inline Schedule with_loads(const std::vector<std::size_t>& loads, std::size_t ahead = 100,
                           const std::vector<std::size_t>& at_once = {}) {
  Schedule schedule(loads.size(), ahead);
  for (Member member = 0; member < loads.size(); ++member) {
    schedule.joined(member, at_once.empty() ? 1 : at_once[member]);
    for (std::size_t i = 0; i < loads[member]; ++i) schedule.gave(member);
  }
  return schedule;
}

}  // namespace bulkhead::test
