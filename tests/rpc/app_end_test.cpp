// The two ends of a connection, with each other.
#include "rpc/app_end.hpp"

#include <catch2/catch.hpp>
#include <string_view>

#include "rpc/ends.hpp"

namespace {

using namespace bulkhead::rpc;
using namespace bulkhead::test;
using Ids = std::vector<CallId>;
using Received = AppEnd::Received;
using Next = WorkerEnd::Next;

constexpr std::size_t kib = 1024, mib = 1024 * kib;
constexpr Size small_ring{.ring_bytes = 4 * kib};

// Takes the next request up, which is there.
WorkerEnd::Request take(WorkerEnd& worker) {
  WorkerEnd::Request request;
  REQUIRE(worker.next(request) == Next::request);
  return request;
}

// Receives the answer to `id`, which closes it.
AppEnd::Message answer_to(CallId id, AppEnd& app) {
  AppEnd::Message message = next_message(app);
  const auto open = app.close(message.head);
  REQUIRE(open);
  REQUIRE(open->id == id);
  return message;
}

void hand_over(AppEnd& app, Ids calls) {
  for (const CallId id : calls) app.hand_over(call(id));
}

}  // namespace

TEST_CASE("A request comes to its worker as it was sent, and its answer back") {
  Ends ends;
  ends.app->hand_over(call(17, bytes(100)));
  const auto request = take(*ends.worker);
  CHECK(request.head.id == 17);
  CHECK(request.head.kind == Kind::request);
  CHECK(request.head.request == echo.index);
  CHECK(copy_of(request.body()) == bytes(100));

  REQUIRE(ends.worker->respond(request.head, bytes(200, 1)));
  const auto answer = answer_to(17, *ends.app);
  CHECK(answer.head.kind == Kind::response);
  CHECK(copy_of(answer.body()) == bytes(200, 1));
  AppEnd::Message none;
  CHECK(ends.app->receive(none) == Received::nothing);
}

TEST_CASE("A worker says that it is ready, or why it is not") {
  Ends ends({.threads = 3});
  REQUIRE(ends.worker->ready(3));
  const auto ready = next_message(*ends.app);
  CHECK(ready.head.kind == Kind::ready);
  CHECK(ready.head.slot == 3);  // so many calls at once
  REQUIRE(ends.worker->refuse("its model is missing"));
  const auto refused = next_message(*ends.app);
  CHECK(refused.head.kind == Kind::refused);
  CHECK(text_of(refused.body()) == "its model is missing");
}

TEST_CASE("Messages of any size pass both ways, also those larger than the ring") {
  constexpr std::size_t frame = 64 * kib - 8, first = frame - sizeof(Head);
  const std::size_t size = GENERATE_COPY(
      values<std::size_t>({0, 1, 55, first - 1, first, first + 1, first + frame - 1, first + frame,
                           first + frame + 1, 256 * kib - 1, 256 * kib, mib, 3 * mib}));
  CAPTURE(size);
  Ends ends;
  ends.in_thread(echo_until_the_end);
  const Bytes sent = bytes(size);
  ends.app->hand_over(call(1, sent));
  CHECK((copy_of(answer_to(1, *ends.app).body()) == sent));
}

TEST_CASE("A hundred messages of all sizes come in order through a ring of one page") {
  Ends ends({.slots = 100, .ring_bytes = 4 * kib});
  ends.in_thread(echo_until_the_end);
  const auto size_of = [](CallId id) { return id * id * id % 20'011; };
  for (CallId id = 1; id <= 100; ++id)
    ends.app->hand_over(call(id, bytes(size_of(id), static_cast<unsigned>(id))));
  for (CallId id = 1; id <= 100; ++id) {
    const auto answer = answer_to(id, *ends.app);
    CHECK((copy_of(answer.body()) == bytes(size_of(id), static_cast<unsigned>(id))));
  }
}

TEST_CASE("Ten thousand calls go through four slots") {
  Ends ends({.slots = 4});
  ends.in_thread(echo_until_the_end);
  for (CallId id = 1; id <= 3; ++id) ends.app->hand_over(call(id));
  for (CallId id = 1; id <= 10'000; ++id) {
    ends.app->hand_over(call(id + 3));
    answer_to(id, *ends.app);
  }
}

TEST_CASE("A request that comes in parts is taken up without waiting, as its parts come") {
  Ends ends(small_ring);
  WorkerEnd::Request request;
  CHECK_FALSE(ends.worker->next_now(request));
  CHECK_FALSE(ends.worker->arm());
  ends.app->hand_over(call(1, bytes(64 * kib)));
  ends.app->hand_over(call(2, bytes(10)));
  CHECK(ends.worker->hear());
  int looks = 0;
  for (auto found = ends.worker->next_now(request); !found;
       found = ends.worker->next_now(request)) {
    ++looks;
    ends.app->flush();
  }
  CHECK(looks > 10);
  CHECK(request.head.id == 1);
  CHECK(copy_of(request.body()) == bytes(64 * kib));
  CHECK(ends.app->take_back(10).size() == 1);
  ends.app->flush();
  CHECK_FALSE(ends.worker->next_now(request));
  ends.app->leave();
  ends.app->flush();
  CHECK(ends.worker->next_now(request) == Next::leave);
  CHECK(ends.worker->next_now(request) == Next::leave);
}

TEST_CASE("Calls come back the latest first, down to the one that the worker has begun") {
  Ends ends;
  hand_over(*ends.app, {1, 2, 3, 4, 5});
  const auto begun = take(*ends.worker);
  CHECK(ids(ends.app->take_back(2)) == Ids{5, 4});
  CHECK(ids(ends.app->take_back(10)) == Ids{3, 2});
  CHECK(ends.app->take_back(10).empty());

  SECTION("the worker runs what is left, and what it is given again") {
    hand_over(*ends.app, {5, 3});
    ends.app->leave();
    REQUIRE(ends.worker->respond(begun.head, {}));
    const auto fifth = take(*ends.worker);
    CHECK(fifth.head.id == 5);
    REQUIRE(ends.worker->respond(fifth.head, {}));
    CHECK(take(*ends.worker).head.id == 3);
    WorkerEnd::Request none;
    CHECK(ends.worker->next(none) == Next::leave);
    answer_to(1, *ends.app);
    answer_to(5, *ends.app);
  }
  SECTION("its death shows no other") {
    const auto left = ends.app->drain();
    CHECK(ids(left.begun) == Ids{1});
    CHECK(left.not_begun.empty());
  }
}

TEST_CASE("Answered calls do not stand in the way of taking others back") {
  Ends ends;
  hand_over(*ends.app, {1, 2, 3});
  for (const CallId id : Ids{1, 2, 3}) {
    REQUIRE(ends.worker->respond(take(*ends.worker).head, {}));
    answer_to(id, *ends.app);
  }
  CHECK(ends.app->take_back(10).empty());
  hand_over(*ends.app, {4, 5});
  CHECK(ids(ends.app->take_back(10)) == Ids{5, 4});
}

TEST_CASE(
    "A large request is taken back while half of it is sent, and the worker skips just that") {
  Ends ends(small_ring);
  hand_over(*ends.app, {1});
  ends.app->hand_over(call(2, bytes(64 * kib)));  // fills the ring
  hand_over(*ends.app, {3});                      // waits behind it
  SECTION("with what is behind it") { CHECK(ids(ends.app->take_back(2)) == Ids{3, 2}); }
  SECTION("after what is behind it was given again") {
    CHECK(ids(ends.app->take_back(1)) == Ids{3});
    CHECK(ids(ends.app->take_back(1)) == Ids{2});
  }
  ends.app->hand_over(call(4, bytes(9 * kib)));
  ends.app->leave();

  Ids seen;
  bool left = false;
  ends.in_thread([&](WorkerEnd& worker) {
    WorkerEnd::Request request;
    Next next;
    while ((next = worker.next(request)) == Next::request) {
      seen.push_back(request.head.id);
      if (!worker.respond(request.head, request.body())) return;
    }
    left = next == Next::leave;
  });
  answer_to(1, *ends.app);
  CHECK((copy_of(answer_to(4, *ends.app).body()) == bytes(9 * kib)));
  ends.thread.join();
  CHECK(seen == Ids{1, 4});
  CHECK(left);
}

TEST_CASE("A large request counts as begun from its first part on") {
  Ends ends(small_ring);
  ends.app->hand_over(call(1, bytes(64 * kib)));
  ends.in_thread(echo_until_the_end);
  const auto& slot = ends.app->link().segment().slots()[0];
  REQUIRE(wait_until([&] { return slot.load() == slot_word::begun(1); }));
  CHECK(ends.app->take_back(1).empty());
  SECTION("and is answered") {
    CHECK((copy_of(answer_to(1, *ends.app).body()) == bytes(64 * kib)));
  }
  SECTION("and is told so when its worker dies") { CHECK(ids(ends.app->drain().begun) == Ids{1}); }
}

// Fault crash.begun
TEST_CASE("When a worker is dead, it is known of each call whether it had begun") {
  Ends ends;
  hand_over(*ends.app, {1, 2, 3, 4});
  AppEnd::Left left;
  SECTION("none had") {
    left = ends.app->drain();
    CHECK(left.begun.empty());
    CHECK(ids(left.not_begun) == Ids{1, 2, 3, 4});
  }
  SECTION("the second had, and the first is answered") {
    REQUIRE(ends.worker->respond(take(*ends.worker).head, {}));
    take(*ends.worker);
    answer_to(1, *ends.app);
    left = ends.app->drain();
    CHECK(ids(left.begun) == Ids{2});
    CHECK(ids(left.not_begun) == Ids{3, 4});
  }
  SECTION("two had, and no answer was received") {
    REQUIRE(ends.worker->respond(take(*ends.worker).head, {}));
    take(*ends.worker);
    left = ends.app->drain();
    CHECK(ids(left.begun) == Ids{1, 2});
    CHECK(ids(left.not_begun) == Ids{3, 4});
  }
  SECTION("and nothing is told twice") { ends.app->drain(); }
  left = ends.app->drain();
  CHECK(left.begun.empty());
  CHECK(left.not_begun.empty());
}

TEST_CASE("A call whose answer could not be one is open again, and counts as begun") {
  Ends ends({.slots = 2});
  hand_over(*ends.app, {1, 2});
  REQUIRE(ends.worker->respond(take(*ends.worker).head, {}));
  auto open = ends.app->close(next_message(*ends.app).head);
  REQUIRE(open);
  hand_over(*ends.app, {3});  // the last slot is in use again
  ends.app->reopen(std::move(*open));
  CHECK(ids(ends.app->take_back(1)) == Ids{3});
  const auto left = ends.app->drain();
  CHECK(ids(left.begun) == Ids{1});
  CHECK(ids(left.not_begun) == Ids{2});
  CHECK(ends.app->drain().begun.empty());
}

TEST_CASE("A worker leaves when it has done what it was given") {
  Ends ends;
  hand_over(*ends.app, {1, 2});
  ends.app->leave();
  for (const CallId id : Ids{1, 2}) {
    const auto request = take(*ends.worker);
    CHECK(request.head.id == id);
    REQUIRE(ends.worker->respond(request.head, {}));
  }
  WorkerEnd::Request none;
  CHECK(ends.worker->next(none) == Next::leave);
  answer_to(1, *ends.app);
  answer_to(2, *ends.app);
}

TEST_CASE("A worker learns that the app is gone, whatever it waits for") {
  Ends ends(small_ring);
  SECTION("a request") {
    ends.app.reset();
    WorkerEnd::Request none;
    CHECK(ends.worker->next(none) == Next::app_gone);
  }
  SECTION("the rest of one") {
    ends.app->hand_over(call(1, bytes(64 * kib)));
    ends.app.reset();
    WorkerEnd::Request none;
    CHECK(ends.worker->next(none) == Next::app_gone);
  }
  SECTION("room for a large answer") {
    hand_over(*ends.app, {1});
    const auto request = take(*ends.worker);
    ends.app.reset();
    CHECK_FALSE(ends.worker->respond(request.head, bytes(64 * kib)));
  }
}

TEST_CASE("A response that is too large is told of, and its worker goes on") {
  Ends ends({.max_message = 1000});
  hand_over(*ends.app, {1, 2});
  REQUIRE(ends.worker->respond(take(*ends.worker).head, bytes(1001)));
  const auto too_large = answer_to(1, *ends.app);
  CHECK(too_large.head.kind == Kind::too_large);
  CHECK(text_of(too_large.body()) == "1001");

  REQUIRE(ends.worker->respond(take(*ends.worker).head, bytes(1000)));
  const auto largest = answer_to(2, *ends.app);
  CHECK(largest.head.kind == Kind::response);
  CHECK(largest.body().size() == 1000);
}

TEST_CASE("An exception comes with its type and its text, the end of a long one cut off") {
  struct Row {
    std::string type, what, expected;
  };
  using namespace std::string_literals;
  const std::string longest(max_exception_text, 'x');
  const auto row = GENERATE_COPY(values<Row>({
      {"std::runtime_error", "no such image", "std::runtime_error\0no such image"s},
      {"int", "", "int\0"s},
      {"", "", "\0"s},
      {"E", "binary\0\xff\x1b"s, "E\0binary\0\xff\x1b"s},
      {"E", longest, "E\0"s + longest.substr(2)},
  }));
  Ends ends;
  hand_over(*ends.app, {1});
  REQUIRE(ends.worker->report_exception(take(*ends.worker).head, row.type, row.what));
  const auto threw = answer_to(1, *ends.app);
  CHECK(threw.head.kind == Kind::threw);
  CHECK(text_of(threw.body()) == row.expected);
}

TEST_CASE("An exception whose type has an endless name is cut off, too") {
  Ends ends;
  hand_over(*ends.app, {1});
  const std::string type(2 * max_exception_text, 't');
  REQUIRE(ends.worker->report_exception(take(*ends.worker).head, type, "what"));
  CHECK(answer_to(1, *ends.app).body().size() <= max_exception_text);
}

// What a worker has to say of its failures is no message of the user's.
TEST_CASE("A worker can tell of a failure, however little max_message allows") {
  Ends ends({.max_message = 1});
  hand_over(*ends.app, {1});
  AppEnd::Message told;
  SECTION("of a response that is too large") {
    REQUIRE(ends.worker->respond(take(*ends.worker).head, bytes(123'456)));
  }
  SECTION("of an exception with a text as long as any is sent") {
    const std::string what(2 * max_exception_text, 'x');
    REQUIRE(ends.worker->report_exception(take(*ends.worker).head, "std::runtime_error", what));
  }
  SECTION("of why it is not ready") { REQUIRE(ends.worker->refuse("its model is missing")); }
  CHECK(ends.app->receive(told) == Received::message);
  CHECK(ends.app->violation() == "");
}
