// Who gets the next call.
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "pool/schedules.hpp"

using namespace bulkhead::test;

namespace {

constexpr auto alone = Schedule::Run::alone;

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

TEST_CASE(
    "A worker with a free thread comes first, then the one with fewest calls for each thread") {
  struct Row {
    std::vector<std::size_t> loads, at_once;
    std::size_t ahead;
    std::optional<Member> expected;
  };
  const auto row = GENERATE(values<Row>({
      {{3}, {4}, 1, 0},
      {{4}, {4}, 1, std::nullopt},  // as many as it runs, though none ahead
      {{4}, {4}, 5, 0},
      {{5}, {4}, 5, std::nullopt},
      {{1, 0}, {4, 4}, 9, 1},
      {{2, 1}, {4, 4}, 9, 1},
      {{1, 1}, {1, 4}, 9, 1},
      {{1, 3}, {1, 4}, 9, 1},
      {{1, 4}, {1, 4}, 9, 0},
      {{2, 4}, {1, 4}, 9, 1},
      {{2, 7}, {1, 4}, 9, 1},
      {{2, 8}, {1, 4}, 9, 0},
  }));
  CAPTURE(row.loads, row.at_once, row.ahead);
  CHECK(with_loads(row.loads, row.ahead, row.at_once).pick() == row.expected);
}

TEST_CASE("A call that must run alone waits for a worker that holds nothing") {
  struct Row {
    std::vector<std::size_t> loads, at_once;
    std::optional<Member> expected;
  };
  const auto row = GENERATE(values<Row>({
      {{0}, {4}, 0},
      {{1}, {4}, std::nullopt},
      {{1, 0, 0}, {4, 4, 4}, 1},
      {{1, 2, 3}, {4, 4, 4}, std::nullopt},
      {{3}, {1}, 0},  // each of its calls is alone
      {{1, 3}, {4, 1}, 1},
      {{100}, {1}, std::nullopt},
  }));
  CAPTURE(row.loads, row.at_once);
  CHECK(with_loads(row.loads, 100, row.at_once).pick(alone) == row.expected);
}

TEST_CASE("A worker that runs a call alone is given nothing else, and takes from nobody") {
  Schedule schedule = with_loads({0, 9}, 100, {4, 4});
  schedule.gave(0, alone);
  CHECK(schedule.running() == 5);
  CHECK_FALSE(schedule.has_free_thread(0));
  CHECK_FALSE(schedule.relief_for(0));
  CHECK(schedule.pick() == Member{1});
  CHECK_FALSE(schedule.pick(alone));

  SECTION("until it is answered") {
    schedule.returned(0);
    CHECK(schedule.has_free_thread(0));
    CHECK(schedule.pick() == Member{0});
    CHECK(schedule.relief_for(0));
  }
  SECTION("until it ends") {
    schedule.left(0);
    CHECK(schedule.pick() == Member{1});
    schedule.joined(0, 4);
    CHECK(schedule.pick(alone) == Member{0});
  }
  SECTION("nor once a call is put back with it whose answer could not be one") {
    schedule.gave(0);
    schedule.returned(0);
    CHECK_FALSE(schedule.has_free_thread(0));
    CHECK(schedule.pick() == Member{1});
  }
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

TEST_CASE("A worker that leaves takes its calls out of the count") {
  Schedule schedule = with_loads({2, 1, 0});
  CHECK(schedule.running() == 2);
  schedule.left(0);
  CHECK(schedule.members() == 2);
  CHECK(schedule.running() == 1);
  CHECK(schedule.load(0) == 0);
  CHECK_FALSE(schedule.present(0));

  SECTION("once") {
    schedule.left(0);
    CHECK(schedule.members() == 2);
    CHECK(schedule.running() == 1);
  }
  SECTION("and what comes back from it later changes nothing") {
    schedule.returned(0, 2);
    CHECK(schedule.running() == 1);
    CHECK(schedule.load(0) == 0);
  }
  SECTION("and the next in its place begins with nothing") {
    schedule.joined(0);
    CHECK(schedule.members() == 3);
    CHECK(schedule.load(0) == 0);
    CHECK(schedule.running() == 1);
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
  CHECK(schedule.running() == 1);
  CHECK(schedule.members() == 1);
}

TEST_CASE("Taking nothing back changes nothing") {
  Schedule schedule = with_loads({1, 0});
  schedule.returned(0, 0);
  schedule.returned(1, 0);
  CHECK(schedule.running() == 1);
  CHECK(schedule.load(0) == 1);
}

TEST_CASE(
    "Whatever happens to workers, what runs is counted right, and who must be alone is alone") {
  static constexpr std::size_t members = 5, ahead = 3;
  struct Place {
    std::size_t load = 0, at_once = 0;
    bool alone = false;
    bool has_room() const { return !alone && load < std::max(ahead, at_once); }
  };
  std::mt19937 random(4711);
  Schedule schedule(members, ahead);
  std::vector<Place> places(members);
  const auto give = [&](Schedule::Run run) {
    const auto best = schedule.pick(run);
    if (!best) return;
    Place& place = places[*best];
    if (place.at_once == 0 || place.alone) FAIL("given to a worker that takes nothing");
    if (run == alone && place.at_once > 1 && place.load > 0) FAIL("it is not alone");
    schedule.gave(*best, run);
    ++place.load;
    place.alone = run == alone && place.at_once > 1;
  };
  for (int step = 0; step < 40'000; ++step) {
    const Member member = random() % members;
    Place& place = places[member];
    switch (random() % 8) {
      case 0:
        if (place.at_once == 0)
          place.at_once = 1 + random() % 4, schedule.joined(member, place.at_once);
        break;
      case 1:
        if (random() % 4 == 0) schedule.left(member), place = {};
        break;
      case 2:
      case 3:
        if (place.load > 0) {
          const std::size_t count = random() % (place.load + 1);
          schedule.returned(member, count);
          place.load -= count;
          if (place.load == 0) place.alone = false;
        }
        break;
      default:
        give(random() % 4 == 0 ? alone : Schedule::Run::beside_others);
    }
    std::size_t present = 0, running = 0;
    bool room = false, free = false;
    for (const Place& one : places) {
      present += one.at_once > 0;
      running += std::min(one.load, one.at_once);
      room |= one.at_once > 0 && one.has_room();
      free |= !one.alone && one.load < one.at_once;
    }
    const auto best = schedule.pick();
    if (schedule.members() != present || schedule.running() != running)
      FAIL("step " << step << ": " << schedule.members() << " of " << present << " workers, "
                   << schedule.running() << " of " << running << " running");
    if (best.has_value() != room) FAIL("step " << step << ": room is overlooked, or made up");
    if (best && schedule.has_free_thread(*best) != free)
      FAIL("step " << step << ": a free thread is overlooked");
  }
}

TEST_CASE("a retired worker gets no more calls, and counts until it has answered its last") {
  Schedule schedule(2, 4);
  schedule.joined(0);
  schedule.joined(1);
  schedule.gave(0);
  schedule.gave(0);
  schedule.retire(0);
  schedule.retire(0);
  CHECK(schedule.members() == 1);
  CHECK(schedule.running() == 1);
  CHECK_FALSE(schedule.spent(0));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(schedule.pick() == 1U);
    schedule.gave(1);
  }
  CHECK_FALSE(schedule.pick());
  schedule.returned(0, 2);
  CHECK(schedule.spent(0));
  CHECK(schedule.running() == 1);
  CHECK_FALSE(schedule.relief_for(0));  // though it is idle, and the other has four
  schedule.left(0);
  CHECK(schedule.members() == 1);
  CHECK_FALSE(schedule.spent(0));
  schedule.joined(0);
  CHECK(schedule.members() == 2);
  CHECK(schedule.pick() == 0U);
}

TEST_CASE("A crowd fills few workers before it wakes another") {
  Schedule schedule = with_loads({0, 3, 0, 5}, 8);
  schedule.crowd(2);
  CHECK(schedule.pick() == Member{1});
  for (int i = 0; i < 2; ++i) schedule.gave(1);
  schedule.gave(1);
  CHECK(schedule.pick() == Member{3});  // six there, five here
  for (int i = 0; i < 2; ++i) schedule.gave(1);
  for (int i = 0; i < 3; ++i) schedule.gave(3);
  CHECK(schedule.pick() == Member{0});  // both are full
  schedule.crowd(3);
  schedule.returned(1, 8);
  CHECK(schedule.pick() == Member{0});  // one less than may be is busy
}

TEST_CASE("A crowd passes a stuck worker over, whose calls others take") {
  Schedule schedule = with_loads({1, 40, 0});
  CHECK(schedule.others_take(0));  // there is an idle one
  schedule.crowd(1);
  schedule.note_stuck(0, true);
  CHECK(schedule.pick() == Member{1});
  CHECK(schedule.others_take(0));
  schedule.note_stuck(1, true);
  CHECK(schedule.pick() == Member{2});
  schedule.gave(2);
  schedule.note_stuck(2, true);
  CHECK_FALSE(schedule.others_take(0));
  schedule.note_stuck(0, false);
  CHECK(schedule.pick() == Member{0});
}

TEST_CASE("Workers that are to hold nothing ahead get what they run, and no more") {
  Schedule schedule = with_loads({2, 0}, 100, {1, 2});
  schedule.hold_ahead(0);
  CHECK(schedule.pick() == 1);
  schedule.gave(1);
  CHECK(schedule.pick() == 1);
  schedule.gave(1);
  CHECK(schedule.pick() == std::nullopt);
  schedule.returned(0);
  CHECK(schedule.pick() == std::nullopt);
  schedule.returned(0);
  CHECK(schedule.pick() == 0);
  schedule.hold_ahead(100);
  schedule.gave(0);
  CHECK(schedule.pick().has_value());
}
