// Who gives calls back, to whom.
#include <catch2/catch.hpp>

#include "pool/schedules.hpp"

using namespace bulkhead::test;

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

TEST_CASE("A worker with a free thread is given its share of what another does not run") {
  struct Row {
    std::vector<std::size_t> loads, at_once;  // the last worker is the one with a free thread
    std::optional<Member> from;
    std::size_t count;
  };
  const auto row = GENERATE(values<Row>({
      {{4, 0}, {4, 4}, std::nullopt, 0},  // it runs all that it has
      {{5, 0}, {4, 4}, 0, 1},
      {{5, 3}, {4, 4}, 0, 1},
      {{5, 4}, {4, 4}, std::nullopt, 0},  // it has no free thread
      {{104, 0}, {4, 4}, 0, 52},
      {{103, 3}, {4, 4}, 0, 50},
      {{6, 3, 0}, {4, 1, 4}, 0, 2},  // 2 wait with each, where most are
      {{5, 3, 0}, {4, 1, 4}, 1, 2},
      {{10, 0}, {1, 4}, 0, 8},
      {{10, 0}, {4, 1}, 0, 2},
      {{2, 3}, {1, 4}, 0, 1},
  }));
  CAPTURE(row.loads, row.at_once);
  const auto theft = with_loads(row.loads, 1000, row.at_once).relief_for(row.loads.size() - 1);
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

TEST_CASE("nothing is to be had back from a retired worker") {
  Schedule schedule(3, 8);
  for (const Schedule::Member member : {0U, 1U}) schedule.joined(member);
  for (int i = 0; i < 8; ++i) schedule.gave(0);
  for (int i = 0; i < 4; ++i) schedule.gave(1);
  schedule.retire(0);
  schedule.joined(2);
  const auto theft = schedule.relief_for(2);
  REQUIRE(theft);
  CHECK(theft->from == 1U);
  schedule.returned(1, 3);
  CHECK_FALSE(schedule.relief_for(2));
}
