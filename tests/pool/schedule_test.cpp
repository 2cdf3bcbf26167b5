// Who gets the next call, and who gives some back.
#include "pool/schedule.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace {

using bulkhead::pool::Schedule;
using Member = Schedule::Member;

// Workers that hold so many calls.
Schedule with_loads(const std::vector<std::size_t>& loads, std::size_t ahead = 100) {
  Schedule schedule(loads.size(), ahead);
  for (Member member = 0; member < loads.size(); ++member) {
    schedule.joined(member);
    for (std::size_t i = 0; i < loads[member]; ++i) schedule.gave(member);
  }
  return schedule;
}

}  // namespace

TEST_CASE("The least loaded worker gets the next call, the first of several alike") {
  struct Row {
    std::vector<std::size_t> loads;
    std::size_t ahead;
    std::optional<Member> expected;
  };
  const auto row = GENERATE(values<Row>({
      {{0}, 1, 0},
      {{0, 0, 0}, 1, 0},
      {{1, 0, 0}, 1, 1},
      {{3, 1, 2}, 4, 1},
      {{2, 1, 1}, 4, 1},
      {{2, 3, 0}, 4, 2},
      {{1, 1, 1}, 1, std::nullopt},
      {{4, 3, 4}, 4, 1},
      {{4, 4, 4}, 4, std::nullopt},
  }));
  CAPTURE(row.loads, row.ahead);
  CHECK(with_loads(row.loads, row.ahead).pick() == row.expected);
}

TEST_CASE("Nobody gets a call before the first worker has joined, or after the last has left") {
  Schedule schedule(2, 3);
  CHECK_FALSE(schedule.pick());
  schedule.joined(1);
  CHECK(schedule.pick() == Member{1});
  CHECK(schedule.members() == 1);
  schedule.left(1);
  CHECK_FALSE(schedule.pick());
  CHECK(schedule.members() == 0);
}

TEST_CASE("Calls spread evenly, up to as many as each worker may hold ahead") {
  constexpr std::size_t members = 3, ahead = 4;
  Schedule schedule(members, ahead);
  for (Member member = 0; member < members; ++member) schedule.joined(member);
  for (std::size_t given = 0; given < members * ahead; ++given) {
    const auto member = schedule.pick();
    REQUIRE(member);
    REQUIRE(schedule.load(*member) == given / members);
    schedule.gave(*member);
  }
  CHECK_FALSE(schedule.pick());
  schedule.returned(2);
  CHECK(schedule.pick() == Member{2});
}

TEST_CASE("A worker that is free is given half of what the busiest holds") {
  struct Row {
    std::vector<std::size_t> loads;  // the last worker is the one that is free
    std::optional<Member> from;
    std::size_t count;
  };
  const auto row = GENERATE(values<Row>({
      {{0}, std::nullopt, 0},
      {{0, 0}, std::nullopt, 0},
      {{1, 0}, std::nullopt, 0},  // it runs the only one that it has
      {{1, 1, 1, 0}, std::nullopt, 0},
      {{2, 0}, 0, 1},
      {{3, 0}, 0, 1},
      {{4, 0}, 0, 2},
      {{2, 9, 8, 0}, 1, 4},
      {{5, 5, 0}, 0, 2},
      {{9, 1}, std::nullopt, 0},  // it is not free at all
  }));
  CAPTURE(row.loads);
  const auto theft = with_loads(row.loads).relief_for(row.loads.size() - 1);
  REQUIRE(theft.has_value() == row.from.has_value());
  if (theft) {
    CHECK(theft->from == *row.from);
    CHECK(theft->count == row.count);
  }
}

TEST_CASE("A worker that is not there gets no relief, and gives none") {
  Schedule schedule = with_loads({4, 0, 0});
  schedule.left(1);
  CHECK_FALSE(schedule.relief_for(1));
  schedule.left(0);
  CHECK_FALSE(schedule.relief_for(2));
}

TEST_CASE("A worker that leaves takes its calls out of the count") {
  Schedule schedule = with_loads({2, 1, 0});
  CHECK(schedule.busy() == 2);
  schedule.left(0);
  CHECK(schedule.members() == 2);
  CHECK(schedule.busy() == 1);
  CHECK(schedule.load(0) == 0);
  CHECK_FALSE(schedule.present(0));

  SECTION("once") {
    schedule.left(0);
    CHECK(schedule.members() == 2);
    CHECK(schedule.busy() == 1);
  }
  SECTION("and what comes back from it later changes nothing") {
    schedule.returned(0, 2);
    CHECK(schedule.busy() == 1);
    CHECK(schedule.load(0) == 0);
  }
  SECTION("and the next in its place begins with nothing") {
    schedule.joined(0);
    CHECK(schedule.members() == 3);
    CHECK(schedule.load(0) == 0);
    CHECK(schedule.busy() == 1);
    CHECK(schedule.pick() == Member{0});
  }
}

// An answer that could not be one puts its call back where it was; by then its worker may be gone.
TEST_CASE("A call that is put back with a worker that has left is not counted") {
  Schedule schedule = with_loads({1, 1});
  schedule.returned(0);
  schedule.left(0);
  schedule.gave(0);
  CHECK(schedule.load(0) == 0);
  CHECK(schedule.busy() == 1);
  CHECK(schedule.members() == 1);
}

TEST_CASE("Taking nothing back changes nothing") {
  Schedule schedule = with_loads({1, 0});
  schedule.returned(0, 0);
  schedule.returned(1, 0);
  CHECK(schedule.busy() == 1);
  CHECK(schedule.load(0) == 1);
}

TEST_CASE("Whatever happens to workers, who is there, busy and least loaded is counted right") {
  constexpr std::size_t members = 5, ahead = 3;
  std::mt19937 random(4711);
  Schedule schedule(members, ahead);
  std::vector<std::optional<std::size_t>> loads(members);
  for (int step = 0; step < 20'000; ++step) {
    const Member member = random() % members;
    auto& load = loads[member];
    switch (random() % 8) {
      case 0:
        if (!load) schedule.joined(member), load = 0;
        break;
      case 1:
        if (random() % 4 == 0) schedule.left(member), load.reset();
        break;
      case 2:
      case 3:
        if (load && *load > 0) {
          const std::size_t count = random() % (*load + 1);
          schedule.returned(member, count);
          *load -= count;
        }
        break;
      default:
        if (const auto best = schedule.pick()) schedule.gave(*best), ++*loads[*best];
    }
    std::size_t present = 0, busy = 0, least = ahead;
    for (const auto& one : loads) {
      present += one.has_value();
      busy += one.value_or(0) > 0;
      least = std::min(least, one.value_or(ahead));
    }
    const auto best = schedule.pick();
    if (schedule.members() != present || schedule.busy() != busy ||
        best.has_value() != (least < ahead) || (best && loads[*best] != least))
      FAIL("step " << step << ": " << schedule.members() << " of " << present << " workers, "
                   << schedule.busy() << " of " << busy << " busy");
  }
}
