// Whose turn it is: the values of a call, the function that they are for, and the call's end.
#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bulkhead/context.hpp"
#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "rpc/ends.hpp"

namespace {

using namespace bulkhead;
using Then = detail::ProgressBox::Then;

constexpr detail::RequestType type{.name = "Compress", .index = 0, .idempotent = false};

detail::Buffer packed(int value) {
  detail::Buffer bytes;
  detail::encode(bytes, value);
  return bytes;
}

struct Told {
  std::vector<int> values = {};
  std::function<void()> meanwhile = {};
  std::unique_ptr<detail::ProgressBox> box = detail::progress_box<int>([this](int value) {
    values.push_back(value);
    if (meanwhile) meanwhile();
  });
};

struct Compress {
  using Response = void;
  using Progress = double;
};

struct Plain {
  using Response = void;
};

struct Sink final : detail::HandlerProgress {
  bool wanted() const noexcept override { return is_wanted; }
  void send(detail::Buffer value) override { sent.push_back(std::move(value)); }
  bool is_wanted = true;
  std::vector<detail::Buffer> sent;
};

}  // namespace

TEST_CASE("A value takes the place of one that nobody has seen") {
  Told told;
  CHECK(told.box->put(packed(1)));
  CHECK_FALSE(told.box->put(packed(2)));
  CHECK_FALSE(told.box->put(packed(3)));
  CHECK(told.box->take_turn() == Then::nothing);
  CHECK(told.box->put(packed(4)));
  CHECK(told.box->take_turn() == Then::nothing);
  CHECK(told.values == std::vector<int>{3, 4});
}

TEST_CASE("A value that comes while the function runs has a turn of its own") {
  Told told;
  CHECK(told.box->put(packed(1)));
  told.meanwhile = [&] {
    told.meanwhile = {};
    CHECK_FALSE(told.box->put(packed(2)));
    CHECK_FALSE(told.box->put(packed(3)));
  };
  CHECK(told.box->take_turn() == Then::another_turn);
  CHECK(told.box->take_turn() == Then::nothing);
  CHECK(told.values == std::vector<int>{1, 3});
}

TEST_CASE("A call without values to be told ends at once, and tells none after that") {
  Told told;
  CHECK(told.box->end());
  CHECK_FALSE(told.box->put(packed(1)));
  CHECK(told.values.empty());
}

TEST_CASE("A call ends behind its last value") {
  Told told;
  CHECK(told.box->put(packed(1)));
  SECTION("which nobody has seen yet") {
    CHECK_FALSE(told.box->end());
    CHECK_FALSE(told.box->put(packed(2)));
    CHECK(told.box->take_turn() == Then::end_call);
    CHECK(told.values == std::vector<int>{1});
  }
  SECTION("which comes, as its end does, while the function runs") {
    told.meanwhile = [&] {
      told.meanwhile = {};
      CHECK_FALSE(told.box->put(packed(2)));
      CHECK_FALSE(told.box->end());
    };
    CHECK(told.box->take_turn() == Then::end_call);
    CHECK(told.values == std::vector<int>{1, 2});
  }
  SECTION("also where nobody can be told") {
    CHECK_FALSE(told.box->end());
    CHECK(told.box->skip_turn() == Then::end_call);
    CHECK(told.values.empty());
  }
}

TEST_CASE("A future becomes ready when the last value is told, not before") {
  Told told;
  auto call = std::make_shared<detail::TypedCall<int>>(type);
  call->steering = std::make_unique<detail::Steering>();
  call->steering->progress = std::move(told.box);
  Future<int> future(call);
  REQUIRE(call->progress()->put(packed(7)));
  call->accept(packed(42), nullptr);
  call->settle();
  CHECK_FALSE(future.ready());
  told.meanwhile = [&] { CHECK_FALSE(future.ready()); };
  CHECK_FALSE(call->tell_progress());
  CHECK(told.values == std::vector<int>{7});
  CHECK(future.get() == 42);
}

TEST_CASE("Once its future is dropped, or another takes its place, a call tells nothing") {
  const bool replaced = GENERATE(false, true);
  Told told;
  auto call = std::make_shared<detail::TypedCall<int>>(type);
  call->steering = std::make_unique<detail::Steering>();
  call->steering->progress = std::move(told.box);
  Future<int> future(call);
  Future<int> moved = std::move(future);
  REQUIRE(call->progress()->put(packed(1)));
  CHECK_FALSE(call->tell_progress());
  REQUIRE(call->progress()->put(packed(2)));
  if (replaced)
    moved = Future<int>();
  else
    static_cast<void>(Future<int>(std::move(moved)));
  CHECK_FALSE(call->tell_progress());
  CHECK_FALSE(call->progress()->put(packed(3)));
  CHECK(told.values == std::vector<int>{1});
}

TEST_CASE("What a function throws ends nothing") {
  Told told;
  told.meanwhile = [] { throw std::runtime_error("no screen"); };
  CHECK(told.box->put(packed(1)));
  CHECK(told.box->take_turn() == Then::nothing);
  told.meanwhile = [] { throw 1; };
  CHECK(told.box->put(packed(2)));
  CHECK_FALSE(told.box->end());
  CHECK(told.box->take_turn() == Then::end_call);
  CHECK(told.values == std::vector<int>{1, 2});
}

TEST_CASE("A value that cannot be is refused, and the one before stays") {
  Told told;
  CHECK(told.box->put(packed(1)));
  CHECK_THROWS_AS(static_cast<void>(told.box->put(detail::Buffer(3))), detail::Refused);
  CHECK(told.box->take_turn() == Then::nothing);
  CHECK(told.values == std::vector<int>{1});
}

TEST_CASE("No function is as none given") { CHECK(detail::progress_box<int>(nullptr) == nullptr); }

TEST_CASE("A handler's values are packed if they are wanted, and dropped in tests of handlers") {
  Sink sink;
  sink.is_wanted = GENERATE(false, true);
  Context context(1, nullptr, {}, &sink);
  context.serves(detail::progress_type<Compress>);
  context.progress(0.5);
  CHECK(sink.sent.size() == (sink.is_wanted ? 1 : 0));
  Context by_hand(1);
  by_hand.progress(0.5);
  by_hand.progress("anything");
}

TEST_CASE("A value of another type than the request's Progress is refused by both names") {
  Sink sink;
  Context context(1, nullptr, {}, &sink);
  context.serves(detail::progress_type<Compress>);
  CHECK_THROWS_WITH(
      context.progress(1),
      "Context::progress was told a value of type int, but the Progress of Compress is double");
  context.serves(detail::progress_type<Plain>);
  CHECK_THROWS_WITH(context.progress(1),
                    "Context::progress was told a value of type int, but Plain has no Progress");
  CHECK(sink.sent.empty());
}

TEST_CASE("A value that there is no room for is not sent, nor a part of it") {
  test::Ends ends({.ring_bytes = 4096});
  rpc::WorkerEnd& worker = *ends.worker;
  const rpc::Head head{.id = 1, .ticket = 1, .slot = 0, .request = test::echo.index};
  const test::Bytes value(500);
  int told = 0;
  while (worker.try_tell(head, value)) ++told;
  CHECK(told > 0);
  rpc::AppEnd::Message message;
  for (int i = 0; i < told; ++i) {
    REQUIRE(ends.app->receive(message) == rpc::AppEnd::Received::message);
    CHECK(message.head.kind == rpc::Kind::progress);
    CHECK(message.body().size() == value.size());
  }
  CHECK(ends.app->receive(message) == rpc::AppEnd::Received::nothing);
  CHECK(worker.try_tell(head, value));
  CHECK_FALSE(worker.try_tell(head, test::Bytes(4000)));
}

TEST_CASE(
    "A value is taken only when it is its thread's turn to send, and no answer overtakes it") {
  test::Ends ends;
  rpc::WorkerEnd& worker = *ends.worker;
  const rpc::Head head{.id = 1, .ticket = 1, .slot = 0, .request = test::echo.index};
  worker.share_sending();
  std::promise<void> done;  // a process that has threads: one that has none has no turns
  std::jthread other([over = done.get_future()] { over.wait(); });
  std::jthread answers;
  CHECK(worker.tell_next([&] {
    CHECK_FALSE(worker.try_tell(head, test::Bytes(1)));
    answers = std::jthread([&] { worker.respond(head, test::Bytes(2)); });
    return rpc::WorkerEnd::Progress{head, test::Bytes(3)};
  }));
  CHECK(worker.tell_next([] { return std::nullopt; }));
  answers.join();
  done.set_value();
  rpc::AppEnd::Message message;
  REQUIRE(ends.app->receive(message) == rpc::AppEnd::Received::message);
  CHECK(message.head.kind == rpc::Kind::progress);
  CHECK(message.body().size() == 3);
  REQUIRE(ends.app->receive(message) == rpc::AppEnd::Received::message);
  CHECK(message.head.kind == rpc::Kind::response);
}
