// Who takes calls, and who is kept ready for when one of those dies.
#include "pool/roster.hpp"

#include <catch2/catch.hpp>

namespace {

using bulkhead::pool::Roster;

// A roster with so many places, on which the members from 0 got ready one after the other.
Roster with_members(std::size_t places, Roster::Member members) {
  Roster roster(places);
  for (Roster::Member member = 0; member < members; ++member) {
    roster.ready(member);
    roster.call_up();
  }
  return roster;
}

}  // namespace

TEST_CASE("The first workers that are ready take calls, and who comes later is a spare") {
  Roster roster(2);
  roster.ready(5);
  CHECK(roster.is_spare(5));
  CHECK(roster.call_up() == 5u);
  CHECK_FALSE(roster.is_spare(5));
  CHECK_FALSE(roster.call_up());
  roster.ready(3);
  CHECK(roster.call_up() == 3u);
  roster.ready(4);
  CHECK_FALSE(roster.call_up());
  CHECK(roster.is_spare(4));
  CHECK(roster.spares() == 1);
}

TEST_CASE("A spare takes the place of a worker that dies, once") {
  Roster roster = with_members(2, 3);
  roster.left(0);
  CHECK(roster.call_up() == 2u);
  CHECK_FALSE(roster.call_up());
  CHECK(roster.spares() == 0);
  // The next waits for a worker that gets ready.
  roster.left(1);
  CHECK_FALSE(roster.call_up());
  roster.ready(0);
  CHECK(roster.call_up() == 0u);
}

TEST_CASE("A spare that dies frees no place, and is not called up") {
  Roster roster = with_members(1, 3);
  roster.left(2);
  CHECK_FALSE(roster.call_up());
  roster.left(0);
  CHECK(roster.call_up() == 1u);
}

TEST_CASE("Several that die at once are replaced by as many spares as there are") {
  Roster roster = with_members(3, 5);
  for (const Roster::Member member : {0u, 1u, 2u}) roster.left(member);
  CHECK(roster.call_up() == 4u);
  CHECK(roster.call_up() == 3u);
  CHECK_FALSE(roster.call_up());
}

TEST_CASE("The spare that got ready last is called up first") {
  Roster roster = with_members(1, 2);  // an old worker and an old spare
  roster.ready(7);                     // of the new program
  roster.left(0);
  CHECK(roster.call_up() == 7u);
}

TEST_CASE("The end of a member that is not on the roster changes nothing") {
  Roster roster = with_members(1, 2);
  roster.left(9);
  roster.left(9);
  CHECK_FALSE(roster.call_up());
  CHECK(roster.spares() == 1);
}

TEST_CASE("A member that gets ready anew is counted once") {
  Roster roster = with_members(1, 1);
  roster.ready(0);
  CHECK(roster.is_spare(0));
  CHECK(roster.call_up() == 0u);
  roster.ready(1);
  CHECK_FALSE(roster.call_up());
}
