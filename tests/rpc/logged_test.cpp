// Lines for the app's log, from one end of a connection to the other.
#include "rpc/logged.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <thread>

#include "rpc/hostile_peer.hpp"

namespace {

using namespace bulkhead::rpc;
using namespace bulkhead::test;
namespace ipc = bulkhead::ipc;
using Received = AppEnd::Received;

const Head request{.id = 17, .ticket = 4, .slot = 2, .request = echo.index};

Bytes packed(const LogHead& line, std::size_t text) {
  Bytes bytes(sizeof line + text);
  std::memcpy(bytes.data(), &line, sizeof line);
  return bytes;
}

}  // namespace

TEST_CASE("A line comes with its level, its call, and how many were lost before it") {
  Ends ends;
  const std::uint32_t level = GENERATE(0u, 3u, 5u);
  const std::string text =
      GENERATE(as<std::string>(), "", "a line", std::string(max_log_text, 'x'));
  REQUIRE(ends.worker->try_log(request, {.lost = 8, .level = level}, text));
  AppEnd::Message message;
  REQUIRE(ends.app->receive(message) == Received::message);
  CHECK_FALSE(message.is_answer());
  CHECK(message.head.kind == Kind::logged);
  CHECK(message.head.id == request.id);
  CHECK(message.head.ticket == request.ticket);
  const auto logged = read_logged(message);
  REQUIRE(logged);
  CHECK(logged->level == static_cast<spdlog::level::level_enum>(level));
  CHECK(logged->lost == 8);
  CHECK(logged->text == text);
}

TEST_CASE("Lines leave room for an answer, and are not sent in parts") {
  Ends ends({.ring_bytes = 4096});
  WorkerEnd& worker = *ends.worker;
  CHECK_FALSE(worker.try_log(request, {}, std::string(2000, 'x')));
  int logged = 0;
  while (worker.try_log(request, {}, "a line")) ++logged;
  CHECK(logged > 0);
  CHECK(worker.try_tell(request, Bytes(900)));
  AppEnd::Message message;
  for (int i = 0; i < logged; ++i) {
    REQUIRE(ends.app->receive(message) == Received::message);
    CHECK(message.head.kind == Kind::logged);
  }
  REQUIRE(ends.app->receive(message) == Received::message);
  CHECK(message.head.kind == Kind::progress);
  CHECK(worker.try_log(request, {}, "a line"));
}

TEST_CASE("A line does not wait for the app when an answer does") {
  Ends ends({.ring_bytes = 4096});
  WorkerEnd& worker = *ends.worker;
  worker.share_sending();
  std::atomic<bool> answered = false;
  ends.in_thread([&](WorkerEnd& end) {
    end.respond(request, Bytes(100'000));
    answered = true;
  });
  // Until the answer has filled the ring.
  REQUIRE(wait_until([&] { return !worker.try_log({}, {}, "a line"); }));
  for (int i = 0; i < 100; ++i) CHECK_FALSE(worker.try_log({}, {}, "a line"));
  CHECK_FALSE(answered);
  while (next_message(*ends.app).head.kind == Kind::logged) continue;
  CHECK(wait_until([&] { return answered.load(); }));
}

TEST_CASE("Lines of one thread and answers of another come whole") {
  Ends ends;
  ends.worker->share_sending();
  std::atomic<bool> over = false;
  ends.in_thread(echo_until_the_end);
  std::jthread logs([&] {
    const std::string text(100, 'x');
    while (!over) static_cast<void>(ends.worker->try_log({}, {.level = 2}, text));
  });
  std::size_t lines = 0;
  for (CallId id = 1; id <= 3000 || lines == 0; ++id) {
    const Bytes sent(id % 3000, static_cast<std::byte>(id));
    ends.app->hand_over(call(id, sent));
    auto message = next_message(*ends.app);
    for (; message.head.kind == Kind::logged; message = next_message(*ends.app), ++lines) {
      const auto logged = read_logged(message);
      if (!logged || logged->text != std::string(100, 'x')) FAIL("a line is garbled");
    }
    if (copy_of(message.body()) != sent) FAIL("call " << id << " is garbled");
    REQUIRE(ends.app->close(message.head));
  }
  over = true;
}

// Fault hostile.log
TEST_CASE("A line that no worker logs is a violation") {
  AppSide side;
  Peer peer(*side.peer);
  const std::uint64_t size =
      GENERATE(as<std::uint64_t>(), 0, sizeof(LogHead) - 1, sizeof(LogHead) + max_log_text + 1,
               std::numeric_limits<std::uint64_t>::max());
  REQUIRE(peer.write({.kind = Kind::logged, .size = size}, {}, ipc::more));
  AppEnd::Message none;
  CHECK(side.app->receive(none) == Received::violation);
}

// Fault hostile.log
TEST_CASE("A level that there is not is told from one that there is") {
  AppSide side;
  Peer peer(*side.peer);
  for (const std::uint32_t level : {0u, 5u, 6u, 255u, ~0u}) {
    const Bytes body = packed({.level = level}, 3);
    REQUIRE(peer.write({.kind = Kind::logged, .size = body.size()}, body));
    AppEnd::Message message;
    REQUIRE(side.app->receive(message) == Received::message);
    CHECK(read_logged(message).has_value() == (level <= 5));
  }
}
