// The app's end, with a peer that keeps no rule.
#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "rpc/hostile_peer.hpp"

namespace {

using namespace bulkhead::rpc;
using namespace bulkhead::test;
namespace ipc = bulkhead::ipc;
using Ids = std::vector<CallId>;
using Received = AppEnd::Received;

}  // namespace

// Fault hostile.messages
TEST_CASE("A head that no worker writes is a violation") {
  struct Row {
    const char* name;
    std::function<void(Head&)> change;
  };
  static const std::vector<Row> rows = {
      {"a slot just out of range", [](Head& head) { head.slot = 8; }},
      {"a slot far out of range", [](Head& head) { head.slot = ~Slot{}; }},
      {"an exception for a slot out of range",
       [](Head& head) { head.kind = Kind::threw, head.slot = 8; }},
      {"too large a response for a slot out of range",
       [](Head& head) { head.kind = Kind::too_large, head.slot = 8; }},
      {"a progress value for a slot out of range",
       [](Head& head) { head.kind = Kind::progress, head.slot = 8; }},
      {"a progress value of one byte more than may be",
       [](Head& head) { head.kind = Kind::progress, head.size = max_message + 1; }},
      {"a request", [](Head& head) { head.kind = Kind::request; }},
      {"an order to leave", [](Head& head) { head.kind = Kind::leave; }},
      {"one byte more than may be", [](Head& head) { head.size = max_message + 1; }},
      {"all memory", [](Head& head) { head.size = ~std::uint64_t{}; }},
      {"memory up to where sizes wrap",
       [](Head& head) { head.size = ~std::uint64_t{} - sizeof(Head) + 1; }},
      {"ready, with more than may be",
       [](Head& head) { head = {.slot = 1, .kind = Kind::ready, .size = std::uint64_t{1} << 63}; }},
      {"ready for no call at all", [](Head& head) { head = {.slot = 0, .kind = Kind::ready}; }},
      {"ready for more calls than there are slots",
       [](Head& head) { head = {.slot = 9, .kind = Kind::ready}; }},
  };
  for (const Row& row : rows) {
    for (const std::uint32_t flags : {0u, ipc::more}) {
      INFO(row.name << ", flags " << flags);
      HostileEnds ends;
      Head head = Peer::answer(ends.given(1));
      row.change(head);
      REQUIRE(ends.peer.write(head, {}, flags));
      CHECK(ends.receive() == Received::violation);
      CHECK_FALSE(ends.app.violation().empty());

      // What comes after it is not looked at, and the call is still there for whoever ends the
      // peer.
      REQUIRE(ends.peer.write(Peer::answer(head)));
      CHECK(ends.receive() == Received::violation);
      CHECK(ids(ends.app.drain().not_begun) == Ids{1});
    }
  }
}

// Fault hostile.messages
TEST_CASE("A text that is longer than any that a worker sends is a violation") {
  const Kind kind = GENERATE(Kind::threw, Kind::refused, Kind::too_large);
  AppSide side;  // whose messages may be a gibibyte
  Peer peer(*side.peer);
  side.app->hand_over(call(1));
  Head head = Peer::answer(peer.read().value(), max_exception_text + 1);
  head.kind = kind;
  REQUIRE(peer.write(head, {}, ipc::more));
  AppEnd::Message none;
  CHECK(side.app->receive(none) == Received::violation);
}

// Fault hostile.messages
TEST_CASE("Each kind that there is not is a violation") {
  for (std::uint32_t kind = 0; kind <= std::numeric_limits<std::uint16_t>::max();
       kind += kind < 300 ? 1 : 997) {
    const bool known = (kind >= unsigned(Kind::ready) && kind <= unsigned(Kind::too_large)) ||
                       kind == unsigned(Kind::progress);
    if (known) continue;
    CAPTURE(kind);
    HostileEnds ends;
    REQUIRE(ends.peer.write(Head{.kind = static_cast<Kind>(kind)}));
    REQUIRE(ends.receive() == Received::violation);
  }
}

// Fault hostile.messages
TEST_CASE("An answer to what was not asked closes no call") {
  struct Row {
    const char* name;
    std::function<void(Head&)> change;
  };
  static const std::vector<Row> rows = {
      {"another id", [](Head& head) { ++head.id; }},
      {"no id", [](Head& head) { head.id = 0; }},
      {"the next ticket", [](Head& head) { ++head.ticket; }},
      {"the ticket before", [](Head& head) { --head.ticket; }},
      {"no ticket", [](Head& head) { head.ticket = 0; }},
      {"another slot, which is free", [](Head& head) { head.slot ^= 7; }},
      {"another slot, which is taken", [](Head& head) { head.slot ^= 1; }},
      {"a free slot without a ticket", [](Head& head) { head.slot ^= 7, head.ticket = 0; }},
      {"another request of the service", [](Head& head) { ++head.request; }},
  };
  for (const Row& row : rows) {
    for (const Kind kind : {Kind::response, Kind::threw, Kind::too_large, Kind::progress}) {
      INFO(row.name << ", kind " << unsigned(kind));
      HostileEnds ends;
      const Head first = ends.given(5);
      ends.given(6);
      Head head = Peer::answer(first);
      head.kind = kind;
      row.change(head);
      REQUIRE(ends.peer.write(head));
      REQUIRE(ends.receive() == Received::message);
      CHECK_FALSE(ends.app.about(ends.message.head));
      CHECK_FALSE(ends.app.close(ends.message.head));
      CHECK(ends.app.about(Peer::answer(first)));
      CHECK(ends.app.close(Peer::answer(first)));
    }
  }
}

// Fault hostile.messages
TEST_CASE("A call is answered once") {
  HostileEnds ends;
  const Head head = Peer::answer(ends.given(1));
  REQUIRE(ends.peer.write(head));
  REQUIRE(ends.peer.write(head));
  REQUIRE(ends.receive() == Received::message);
  CHECK(ends.app.close(ends.message.head));
  REQUIRE(ends.receive() == Received::message);
  CHECK_FALSE(ends.app.close(ends.message.head));

  // Nor does the old answer fit the call that has its slot now.
  while (ends.given(1).slot != head.slot) CHECK(ends.app.take_back(1).size() == 1);
  CHECK_FALSE(ends.app.close(head));
}

// Fault hostile.messages
TEST_CASE("What was taken back cannot be answered") {
  HostileEnds ends;
  const Head head = Peer::answer(ends.given(1));
  REQUIRE(ends.app.take_back(1).size() == 1);
  REQUIRE(ends.peer.write(head));
  REQUIRE(ends.receive() == Received::message);
  CHECK_FALSE(ends.app.close(ends.message.head));
}

// Fault hostile.messages
TEST_CASE("What is not fully sent cannot be answered") {
  HostileEnds ends;
  ends.app.hand_over(call(1, bytes(10'000)));  // fills the ring
  ends.app.hand_over(call(2));                 // waits behind it
  const Head first{.id = 1, .ticket = 1, .slot = 0, .kind = Kind::response, .request = echo.index};
  const Head second{.id = 2, .ticket = 2, .slot = 1, .kind = Kind::response, .request = echo.index};
  CHECK_FALSE(ends.app.close(first));
  CHECK_FALSE(ends.app.close(second));

  for (int turn = 0; turn < 10; ++turn) {
    ends.peer.read();
    ends.app.flush();
  }
  CHECK(ends.app.close(first));
  CHECK(ends.app.close(second));
}

// Fault hostile.messages
TEST_CASE("A message whose size is not what its head says is a violation, and never more memory") {
  struct Row {
    const char* name;
    std::uint64_t announced;
    std::vector<std::size_t> parts;  // of the body; the head goes with the first
    Received expected;
  };
  static const std::vector<Row> rows = {
      {"as it says", 100, {100}, Received::message},
      {"as it says, in parts", 100, {0, 1, 98, 1}, Received::message},
      {"nothing", 0, {0}, Received::message},
      {"as much as may be", 1000, {500, 500}, Received::message},
      {"shorter", 100, {99}, Received::violation},
      {"longer", 100, {101}, Received::violation},
      {"something instead of nothing", 0, {1}, Received::violation},
      {"nothing instead of something", 1, {0}, Received::violation},
      {"shorter, in parts", 100, {50, 49}, Received::violation},
      {"longer, in parts", 100, {50, 51}, Received::violation},
      {"all of it, and a part that holds nothing", 100, {100, 0}, Received::violation},
      {"nothing, and a part that holds nothing", 0, {0, 0}, Received::violation},
      {"a part that holds nothing between others", 100, {50, 0, 50}, Received::violation},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    HostileEnds ends;
    const Head head = Peer::answer(ends.given(1), row.announced);
    for (std::size_t i = 0; i < row.parts.size(); ++i) {
      const std::uint32_t flags = i + 1 < row.parts.size() ? ipc::more : 0;
      const Bytes body = bytes(row.parts[i]);
      REQUIRE((i == 0 ? ends.peer.write(head, body, flags) : ends.peer.write(body, flags)));
    }
    REQUIRE(ends.receive() == row.expected);
    if (row.expected == Received::message) CHECK(ends.message.body().size() == row.announced);
  }
}

// Fault hostile.messages
TEST_CASE("Parts that never end are a violation soon") {
  const std::size_t part = GENERATE(as<std::size_t>(), 0, 1, 900);
  HostileEnds ends;
  REQUIRE(ends.peer.write(Peer::answer(ends.given(1), max_message), {}, ipc::more));
  int parts = 0;
  while (ends.receive() == Received::nothing) {
    REQUIRE(++parts <= int(max_message));
    REQUIRE(ends.peer.write(bytes(part), ipc::more));
  }
  CHECK_FALSE(ends.app.violation().empty());
}

// Fault hostile.messages
TEST_CASE("A message shorter than its head is a violation") {
  for (const std::uint32_t flags : {0u, ipc::more}) {
    for (std::size_t size = 0; size < sizeof(Head); ++size) {
      CAPTURE(size, flags);
      HostileEnds ends;
      const Head head = Peer::answer(ends.given(1));
      REQUIRE(ends.peer.write(std::as_bytes(std::span(&head, std::size_t{1})).first(size), flags));
      REQUIRE(ends.receive() == Received::violation);
    }
  }
}

// Fault hostile.memory
TEST_CASE("A slot that reads as anything but what the app wrote counts as begun") {
  const std::uint64_t garbage = GENERATE(
      std::uint64_t{0}, slot_word::begun(1), slot_word::queued(2), slot_word::begun(2),
      slot_word::queued(1) | 2, slot_word::queued(1) ^ std::uint64_t{1} << 63, ~std::uint64_t{});
  CAPTURE(garbage);
  HostileEnds ends;
  const Head first = ends.given(1);
  ends.given(2);
  ends.peer.slots[first.slot] = garbage;
  CHECK(ids(ends.app.take_back(5)) == Ids{2});
  SECTION("when its worker dies") {
    const auto left = ends.app.drain();
    CHECK(ids(left.begun) == Ids{1});
    CHECK(left.not_begun.empty());
  }
  SECTION("and is answered all the same") { CHECK(ends.app.close(Peer::answer(first))); }
}

// Fault hostile.memory
TEST_CASE("A peer that moves the end of the request ring is found out, and nothing is sent to it") {
  HostileEnds ends;
  ends.given(1);
  ends.side.peer->to_worker().control->head = 64 * 1000;
  ends.app.hand_over(call(2, bytes(10'000)));
  ends.app.flush();
  CHECK(ends.app.send_violated());
  CHECK(ids(ends.app.drain().not_begun) == Ids{1, 2});
}

// Fault hostile.memory
TEST_CASE("A peer that writes over its own ring is found out") {
  HostileEnds ends;
  ends.side.peer->to_app().control->tail = 3 * 64 + 1;
  CHECK(ends.receive() == Received::violation);
  CHECK_FALSE(ends.app.violation().empty());
}
