#include "rpc/channel_state.hpp"

#include <catch2/catch.hpp>

using namespace bulkhead;
using detail::Got;
using detail::Side;
using rpc::ChannelState;

namespace {

const Error why(errc::channel_closed, "it is gone");

}  // namespace

TEST_CASE("an open channel takes items, and its receiver waits") {
  const ChannelState state;
  CHECK_FALSE(state.send_error());
  CHECK(state.what_is_left().got == Got::nothing);
  CHECK_FALSE(state.what_is_left().error);
}

TEST_CASE("a closed sender is an end, a lost one an error, whichever was first") {
  ChannelState state;
  SECTION("closed") {
    state.close(Side::sender);
    state.lose(Side::sender, why);
    CHECK(state.what_is_left().got == Got::end);
    CHECK_FALSE(state.what_is_left().error);
  }
  SECTION("lost") {
    state.lose(Side::sender, why);
    state.close(Side::sender);
    REQUIRE(state.what_is_left().error);
    CHECK(state.what_is_left().error->what() == std::string("it is gone"));
  }
  CHECK_FALSE(state.send_error());
}

TEST_CASE("a receiver that is gone is an error for the sender") {
  ChannelState state;
  SECTION("dropped") {
    state.close(Side::receiver);
    REQUIRE(state.send_error());
    CHECK(state.send_error()->what() == std::string("the channel's receiver was dropped"));
  }
  SECTION("lost") {
    state.lose(Side::receiver, why);
    REQUIRE(state.send_error());
    CHECK(state.send_error()->what() == std::string("it is gone"));
  }
  CHECK(state.what_is_left().got == Got::nothing);
}

TEST_CASE("an end is moved once, and only while it is open") {
  ChannelState state;
  CHECK(state.move(Side::receiver));
  CHECK(state.away(Side::receiver));
  CHECK_FALSE(state.away(Side::sender));
  CHECK_FALSE(state.move(Side::receiver));
  state.close(Side::sender);
  CHECK_FALSE(state.move(Side::sender));
}
