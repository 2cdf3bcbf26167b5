#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/detail/handlers.hpp"
#include "bulkhead/serve.hpp"
#include "codec/handled.hpp"
#include "codec/round_trip.hpp"

namespace {

using bulkhead::Context;
using bulkhead::detail::Buffer;
using bulkhead::detail::make_dispatcher;
using bulkhead::test::Note;
using bulkhead::test::Text;

struct Number {
  using Response = long;
  int value = 0;
  Number() = default;
  explicit(false) Number(int v) : value(v) {}
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
  }
};
struct Moved {
  using Response = std::unique_ptr<int>;
  std::unique_ptr<int> pointer = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(pointer);
  }
};

struct One : bulkhead::Service<"one", Text> {};
struct Two : bulkhead::Service<"two", Text, Number> {};
struct Four : bulkhead::Service<"four", Text, Number, Note, Moved> {};

// Asks a dispatcher of S as the worker would.
template <class S, class R>
bulkhead::ResponseOf<R> ask(bulkhead::detail::Dispatcher& dispatcher, const R& request) {
  Context context(17);
  Buffer response;
  dispatcher.serve(bulkhead::detail::request_index<R, S>, encoded(request), context, response);
  return bulkhead::detail::decode<bulkhead::ResponseOf<R>>(response);
}

template <class... Handlers>
std::string ask_text(Handlers&&... handlers) {
  return ask<One>(*make_dispatcher<One>(std::forward<Handlers>(handlers)...), Text{"t"});
}

std::string function(Text request) { return "function " + request.text; }
std::string quiet(const Text& request, Context& context) noexcept {
  return request.text + std::to_string(context.request_id());
}

struct Object {
  std::string operator()(Text&& request) const { return "object " + std::move(request.text); }
};
struct Overloaded {
  std::string operator()(const Text& request) { return "overloaded " + request.text; }
  long operator()(Number request, Context&) { return request.value + 1; }
};

}  // namespace

TEST_CASE("each kind of handler serves its request") {
  CHECK(ask_text(function) == "function t");
  CHECK(ask_text(&function) == "function t");
  CHECK(ask_text(quiet) == "t17");
  CHECK(ask_text(Object{}) == "object t");
  CHECK(ask_text([](Text request) { return request.text; }) == "t");
  CHECK(ask_text([](const Text& request) noexcept { return request.text; }) == "t");
  CHECK(ask_text([](Text&& request) -> std::string { return std::move(request.text); }) == "t");
  CHECK(ask_text([](Text, Context&) { return "converted"; }) == "converted");
  CHECK(ask_text([calls = 0](Text) mutable { return std::to_string(++calls); }) == "1");
  CHECK(ask_text(std::function<std::string(const Text&)>(function)) == "function t");
  CHECK(ask_text(std::bind_front([](int, const Text&) { return "bound"; }, 1)) == "bound");
  const Object constant;
  CHECK(ask_text(constant) == "object t");
}

TEST_CASE("requests go to their handlers, in whatever order these come") {
  int noted = 0;
  const auto dispatcher = make_dispatcher<Four>(
      [&](Note note) { noted = note.value; }, [](Number number) { return number.value * 2; },
      [](Moved request) { return std::move(request.pointer); }, function);
  CHECK(ask<Four>(*dispatcher, Text{"t"}) == "function t");
  CHECK(ask<Four>(*dispatcher, Number{4}) == 8);
  ask<Four>(*dispatcher, Note{9});
  CHECK(noted == 9);
  CHECK(*ask<Four>(*dispatcher, Moved{std::make_unique<int>(5)}) == 5);
}

TEST_CASE("an overloaded or generic handler serves what is left") {
  const auto overloaded = make_dispatcher<Two>(Overloaded{});
  CHECK(ask<Two>(*overloaded, Text{"t"}) == "overloaded t");
  CHECK(ask<Two>(*overloaded, Number{1}) == 2);

  const auto generic = make_dispatcher<Two>(
      function,
      [](const auto& request) requires(requires { request.value; }) { return request.value + 5; });
  CHECK(ask<Two>(*generic, Text{"t"}) == "function t");
  CHECK(ask<Two>(*generic, Number{1}) == 6);
}

TEST_CASE("what a handler throws passes, and the response is as it was") {
  const auto dispatcher =
      make_dispatcher<Two>([](Number) -> long { throw std::domain_error("no"); },
                           [](const Text&) -> std::string { throw 7; });
  Context context(1);
  Buffer response(3, std::byte{1});
  CHECK_THROWS_AS(dispatcher->serve(1, encoded(Number{}), context, response), std::domain_error);
  CHECK_THROWS_AS(dispatcher->serve(0, encoded(Text{}), context, response), int);
  CHECK(response == Buffer(3, std::byte{1}));
}

TEST_CASE("bytes that are no request, and requests that the service does not have, are refused") {
  const auto dispatcher = make_dispatcher<One>(function);
  Context context(1);
  Buffer response;
  CHECK_THROWS_AS(dispatcher->serve(0, encoded(1), context, response), bulkhead::detail::Refused);
  CHECK_THROWS_WITH(dispatcher->serve(1, encoded(Text{}), context, response),
                    "request 1 of a service that has 1");
}
