#include <catch2/catch.hpp>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// The call fails so, and its worker lives on.
Error failure(TestPool& pool, auto request, errc code) {
  const pid_t pid = pid_of(pool);
  const Error error = error_of(pool.run(std::move(request)));
  CHECK(error.code() == code);
  CHECK(error.crash() == nullptr);
  CHECK(pid_of(pool) == pid);
  return error;
}

}  // namespace

// Fault value.throws (one call): a handler throws anything, of any length.
// Then: `handler_failed` with type and text, cut and without control characters; the worker lives
// on.
TEST_CASE("what a handler throws fails its call with the type and the words") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Throw{Thrown::standard}, errc::handler_failed);
  INFO(error.what());
  CHECK(mentions(error, "test worker " + std::to_string(pid_of(pool))));
  CHECK(mentions(error, "the handler of Throw threw std::out_of_range: there is no seventh page"));
}

// Fault value.throws (one call)
TEST_CASE("what a handler throws may be anything") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Throw{Thrown::other}, errc::handler_failed);
  INFO(error.what());
  CHECK(mentions(error, "threw int"));
}

// Fault value.throws (one call)
TEST_CASE("the words of an exception are cut when they are too many") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Throw{Thrown::huge}, errc::handler_failed);
  const std::string what = error.what();
  CHECK(what.find("std::runtime_error: huge xxx") != what.npos);
  CHECK(what.size() > 1000);
  CHECK(what.size() < 20'000);
}

// Fault hostile.words (one call): it writes escape codes into exceptions or its last words.
// Then: they come out as text.
TEST_CASE("the words of an exception cannot control a terminal") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Throw{Thrown::binary}, errc::handler_failed);
  const std::string what = error.what();
  CHECK(what.find('\x1b') == what.npos);
  CHECK(what.find('\x01') == what.npos);
  CHECK(mentions(error, "one"));
  CHECK(mentions(error, " two"));
}

// Fault value.own-code-throws (one call): a request's or response's own code throws.
// Then: `codec_failed` in the app, `handler_failed` in the worker, which lives on.
TEST_CASE("a request whose own code throws in the app is not sent") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Trouble{Where::saving_request}, errc::codec_failed);
  INFO(error.what());
  CHECK(mentions(error, "Trouble could not be packed: trouble in saving a request"));
}

// Fault value.own-code-throws (one call)
TEST_CASE("a request whose own code throws in the worker fails its call") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Trouble{Where::loading_request}, errc::handler_failed);
  INFO(error.what());
  CHECK(mentions(error, "trouble in loading a request"));
}

// Fault value.own-code-throws (one call)
TEST_CASE("a response whose own code throws in the worker fails its call") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Trouble{Where::saving_response}, errc::handler_failed);
  INFO(error.what());
  CHECK(mentions(error, "trouble in saving a response"));
}

// Fault value.own-code-throws (one call)
TEST_CASE("a response whose own code throws in the app fails its call") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  const Error error = failure(pool, Trouble{Where::loading_response}, errc::codec_failed);
  INFO(error.what());
  CHECK(mentions(error, "Trouble had a response that could not be unpacked"));
  CHECK(mentions(error, "trouble in loading a response"));
  CHECK(value_of(pool.run(Trouble{})).where == Where::nowhere);
}

// Fault value.throws (many calls)
TEST_CASE("exceptions among many calls disturb none of the others") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 2});
  std::vector<Future<int>> good;
  std::vector<Future<void>> bad;
  std::vector<Future<Troubled>> troubled;
  for (int i = 0; i < 100; ++i) {
    good.push_back(pool.run(Add{i, 0}));
    bad.push_back(pool.run(Throw{Thrown::standard}));
    troubled.push_back(pool.run(Trouble{Where::loading_response}));
  }
  for (int i = 0; i < 100; ++i) {
    const auto at = static_cast<std::size_t>(i);
    CHECK(value_of(std::move(good[at])) == i);
    CHECK(error_of(std::move(bad[at])).code() == errc::handler_failed);
    CHECK(error_of(std::move(troubled[at])).code() == errc::codec_failed);
  }
  CHECK(pool.stats().crashes == 0);
  CHECK(pool.stats().completed == 100);
  CHECK(pool.stats().failed == 200);
}
