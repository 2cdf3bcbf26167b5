#include "rpc/receive_role.hpp"

#include <catch2/catch.hpp>

using bulkhead::rpc::ReceiveRole;

TEST_CASE("One receives at a time, and who was turned away is told to look again") {
  ReceiveRole role;
  REQUIRE(role.try_take());
  CHECK_FALSE(role.try_take());
  CHECK_FALSE(role.let_go());
  REQUIRE(role.try_take_or_knock());
  CHECK_FALSE(role.try_take_or_knock());
  CHECK(role.let_go());
  REQUIRE(role.try_take());
  CHECK_FALSE(role.let_go());
}

TEST_CASE("Whoever receives learns that it is to let go, and the next need not") {
  ReceiveRole role;
  REQUIRE(role.try_take());
  CHECK_FALSE(role.try_take_or_knock());
  CHECK_FALSE(role.demanded());
  CHECK_FALSE(role.try_take_or_demand());
  CHECK(role.demanded());
  CHECK(role.let_go());
  CHECK(role.try_take_or_demand());
  CHECK_FALSE(role.demanded());
}

TEST_CASE("A connection is forsaken when nobody has come between two rounds") {
  ReceiveRole role;
  REQUIRE(role.try_take());
  role.leave_unattended();
  CHECK_FALSE(role.let_go());
  CHECK(role.unattended());
  CHECK_FALSE(role.is_forsaken());
  REQUIRE(role.try_take());  // the thread is back for its next answer
  CHECK_FALSE(role.let_go());
  CHECK_FALSE(role.is_forsaken());
  CHECK(role.is_forsaken());
  REQUIRE(role.try_take());
  role.attend();
  CHECK_FALSE(role.let_go());
  CHECK_FALSE(role.unattended());
}

TEST_CASE("Threads come often when they have come many times in this tick or the one before") {
  using Tick = std::chrono::steady_clock::time_point;
  const Tick first{std::chrono::milliseconds(4)}, second{std::chrono::milliseconds(8)},
      third{std::chrono::milliseconds(12)};
  ReceiveRole role;
  for (int turn = 1; turn < 16; ++turn) CHECK_FALSE(role.comes_often(first));
  CHECK(role.comes_often(first));
  CHECK(role.comes_often(second));
  CHECK_FALSE(role.comes_often(third));
}
