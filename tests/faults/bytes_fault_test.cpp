// Bytes when somebody dies, memory or descriptors run out, or a worker forges them.
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "faults/bytes_calls.hpp"
#include "platform/fault.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

// Fault crash.bytes (one call): a worker dies with buffers of the app's, or while it makes some.
// Then: what it held is freed; an idempotent request is tried again with the same bytes.
TEST_CASE("a worker that dies with bytes frees them, and the request is tried again with them") {
  const LeakCheck leaks;
  const TempDir folder;
  BytesPool pool{{.workers = 1}};
  const std::uint64_t before = holdings().mappings;
  {
    const Bytes bytes = filled(pool, large, 'r');
    const auto once = (folder / "once").string();
    for (const bool making : {false, true})
      CHECK(error_of(pool.run(DieWithBytes{bytes, "", making})).code() == errc::worker_crashed);
    CHECK(holds(value_of(pool.run(DieWithBytes{bytes, once})), large, 'r'));
    // What it had made is the app's for as long as it wants.
    const Bytes made = value_of(pool.run(MakeBytes{.size = large, .value = 'm'}));
    CHECK(error_of(pool.run(DieWithBytes{})).code() == errc::worker_crashed);
    CHECK(holds(made, large, 'm'));
    CHECK(holds(value_of(pool.run(EchoBytes{made})), large, 'm'));
  }
  CHECK(error_of(pool.run(DieWithBytes{})).code() == errc::worker_crashed);
  CHECK(wait_until([&] { return holdings().mappings == before; }));
}

// Fault value.bytes-exhausted: there is no memory, descriptor or allowance for a buffer.
// Then: an error that says which, and never a signal; the worker lives on.
TEST_CASE("more bytes than their limits allow are an error on either side") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  BytesPool pool = pool_of<BytesService>(kind, {.workers = 1, .bytes = {.alive = 4 * large}});
  const Bytes first = filled(pool, 3 * large, '1');
  CHECK_THROWS_WITH(pool.make_bytes(3 * large), Catch::Contains("BytesLimits::alive"));
  CHECK_THROWS_AS(pool.make_bytes(~std::size_t{}), BytesExhausted);
  const Bytes made = value_of(pool.run(MakeBytes{.size = 3 * large}));
  const Error error = error_of(pool.run(MakeBytes{.size = 3 * large}));
  INFO(error.what());
  CHECK(error.code() == errc::handler_failed);
  CHECK(mentions(error, "BytesExhausted"));
  CHECK(holds(value_of(pool.run(MakeBytes{.size = large, .value = 'x'})), large, 'x'));
  CHECK(pool.stats().crashes == 0);
}

#ifdef BULKHEAD_FAULT_POINTS
// Fault crash.bytes (one call)
TEST_CASE("a worker that dies when it has passed its bytes, and not yet answered, leaves none") {
  const LeakCheck leaks;
  const std::uint64_t before = holdings().mappings;
  {
    BytesPool pool{{.workers = 1,
                    .launch = Launch::self().env("BULKHEAD_FAULT", "worker.bytes_passed:1:kill")}};
    for (int i = 0; i < 3; ++i)
      CHECK(error_of(pool.run(MakeBytes{.size = large})).code() == errc::worker_crashed);
    CHECK(wait_until([&] { return holdings().mappings == before; }));
  }
  CHECK(holdings().mappings == before);
}

// Fault value.bytes-exhausted
TEST_CASE("when shared memory or descriptors run out, that is an error") {
  const LeakCheck leaks;
  BytesPool pool{
      {.workers = 1, .launch = Launch::self().env("BULKHEAD_FAULT", "memory.make:1:errno=12")}};
  CHECK(error_of(pool.run(MakeBytes{.size = large})).code() == errc::handler_failed);
  CHECK(holds(value_of(pool.run(MakeBytes{.size = large, .value = 'x'})), large, 'x'));
  for (const char* fault : {"memory.make:*:errno=24", "memory.map:*:errno=12"}) {
    platform::use_faults(fault);
    CHECK_THROWS_AS(pool.make_bytes(large), BytesExhausted);
    CHECK_THROWS_AS((platform::use_faults(fault), Bytes::copy_of(std::vector<std::byte>(large))),
                    BytesExhausted);
  }
  platform::use_faults("memory.map:1:errno=12");
  const Error error = error_of(pool.run(MakeBytes{.size = 2 * large}));
  INFO(error.what());
  CHECK(error.code() == errc::message_too_large);
  CHECK(error.system().value() == 12);
  platform::use_faults("");
  CHECK(holds(value_of(pool.run(MakeBytes{.size = 2 * large, .value = 'y'})), 2 * large, 'y'));
  CHECK(pool.stats().crashes == 0);
}
#endif

// Fault value.bytes-exhausted
TEST_CASE("an app without descriptors is told so for the bytes of an answer") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  value_of(pool.run(AskHoldings{}));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  auto call = pool.run(MakeBytes{.size = large});
  const bool settled = call.wait_for(default_watchdog);
  CHECK_THROWS_AS(pool.make_bytes(large), BytesExhausted);
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(settled);
  const Error error = error_of(std::move(call));
  INFO(error.what());
  CHECK(error.code() == errc::message_too_large);
  CHECK(mentions(error, "too many open files"));
  CHECK(holds(value_of(pool.run(MakeBytes{.size = large, .value = 'z'})), large, 'z'));
}

// Fault hostile.bytes (one call): it passes no memory, memory that may shrink, or less than it
// says; it names what it was not given; it writes into what the app made. Then:
// `protocol_violation`; what the app made it cannot change.
TEST_CASE("a worker that forges bytes is ended, and its call fails") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Bytes bytes = filled(pool, large, 'x');
  CHECK(holds(value_of(pool.run(ForgeBytes{BadBytes::none, bytes})).bytes, large, '\0'));
  for (int i = 1; i < static_cast<int>(BadBytes::count); ++i) {
    const auto bad = static_cast<BadBytes>(i);
    INFO(i);
    value_of(pool.run(EchoBytes{bytes}));
    const bool without = bad == BadBytes::of_another_call;
    const Error error = error_of(pool.run(ForgeBytes{bad, without ? Bytes() : bytes}));
    INFO(error.what());
    REQUIRE(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->cause == Cause::protocol_violation);
    CHECK(holds(value_of(pool.run(EchoBytes{bytes})), large, 'x'));
  }
}

// Fault hostile.bytes (one call)
TEST_CASE("a worker cannot change what the app made") {
  const LeakCheck leaks;
  BytesPool pool{{.workers = 1}};
  const Bytes bytes = filled(pool, large, 'x');
  CHECK(value_of(pool.run(WriteInto{bytes})) == 0);
  CHECK(holds(bytes, large, 'x'));
}
