// Handlers that are coroutines, as the worker finds them in a service.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "bulkhead/detail/handlers.hpp"
#include "bulkhead/serve.hpp"
#include "codec/handled.hpp"
#include "codec/round_trip.hpp"

namespace {

namespace asio = boost::asio;
using bulkhead::Context;
using bulkhead::detail::Buffer;
using bulkhead::detail::make_dispatcher;
using bulkhead::test::Note;
using bulkhead::test::Text;

struct Number {
  using Response = long;
  int value = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
  }
};
struct Three : bulkhead::Service<"three", Text, Number, Note> {};

asio::awaitable<void> turn() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

// Asks a dispatcher as the worker would.
template <class R>
bulkhead::ResponseOf<R> ask(bulkhead::detail::Dispatcher& dispatcher, const R& request) {
  constexpr auto index = bulkhead::detail::request_index<R, Three>;
  REQUIRE(dispatcher.is_coroutine(index));
  asio::io_context io;
  Context context(17);
  Buffer response;
  const auto packed = encoded(request);
  std::exception_ptr failure;
  asio::co_spawn(io, dispatcher.serve_coroutine(index, packed, context, response),
                 [&](std::exception_ptr error) { failure = std::move(error); });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return bulkhead::detail::decode<bulkhead::ResponseOf<R>>(response);
}

asio::awaitable<std::string> by_reference(const Text& request, Context& context) {
  co_await turn();
  co_return request.text + std::to_string(context.request_id());
}

}  // namespace

TEST_CASE("coroutine handlers are functions, lambdas and generic ones, beside plain ones") {
  int noted = 0;
  const auto dispatcher = make_dispatcher<Three>(
      by_reference, [](Number number) { return number.value + 1; },
      [&noted](const auto& note) -> asio::awaitable<void> requires(requires { note.value; }) {
        co_await turn();
        noted = note.value;
      });
  CHECK(dispatcher->has_coroutines());
  CHECK_FALSE(dispatcher->is_coroutine(1));
  CHECK_FALSE(dispatcher->is_coroutine(3));
  CHECK(ask(*dispatcher, Text{"t"}) == "t17");
  ask(*dispatcher, Note{9});
  CHECK(noted == 9);
  Context context(1);
  Buffer response;
  dispatcher->serve(1, encoded(Number{4}), context, response);
  CHECK(bulkhead::detail::decode<long>(response) == 5);
}

TEST_CASE("what a coroutine handler gives is converted, and what it throws passes") {
  const auto dispatcher =
      make_dispatcher<Three>([](Text) -> asio::awaitable<const char*> { co_return "literal"; },
                             [](Number&& number) -> asio::awaitable<int> {
                               co_await turn();
                               if (number.value < 0) throw std::domain_error("no");
                               co_return number.value;
                             },
                             [](Note) -> asio::awaitable<void> { co_return; });
  CHECK(ask(*dispatcher, Text{}) == "literal");
  CHECK(ask(*dispatcher, Number{6}) == 6);
  CHECK_THROWS_AS(ask(*dispatcher, Number{-1}), std::domain_error);
}
