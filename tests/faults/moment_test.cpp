// Deaths at moments that no test could time: forced by fault points.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

#ifdef BULKHEAD_FAULT_POINTS

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// The only worker of `pool` dies when it comes there for the nth time from now.
void inject(TestPool& pool, const std::string& point, int nth) {
  value_of(pool.run(Inject{point + ":" + std::to_string(nth) + ":kill"}));
}

std::string expected_answer(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

void check_crashed(const Error& error, const std::string& request) {
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::signaled);
  CHECK(error.crash()->status.signal == SIGKILL);
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].request == request);
}

}  // namespace

// Fault crash.not-begun (one call, many calls): a worker dies before it took a call up.
// Then: another worker gets the call, unnoticed.
TEST_CASE("a worker that dies before it takes a call up: the call goes elsewhere, unnoticed") {
  const LeakCheck leaks;
  for (const std::size_t calls : {1u, 300u}) {
    TestPool pool{{.workers = 1}};
    inject(pool, "worker.before_claim", 1);
    std::vector<Future<std::string>> waiting;
    for (std::size_t i = 0; i < calls; ++i) waiting.push_back(pool.run(Echo{std::to_string(i)}));
    for (std::size_t i = 0; i < calls; ++i)
      CHECK(value_of(std::move(waiting[i])) == std::to_string(i));
    CHECK(pool.stats().crashes == 1);
    CHECK(pool.stats().failed == 0);
  }
}

// Fault crash.begun (one call): a worker dies as it takes a call up, unpacks or runs it, or writes
// its answer.
// Then: `worker_crashed` with a report, and no part of the answer; tried again if `idempotent`; no
// other call is harmed.
TEST_CASE("a worker that dies as it takes a call up: the call fails, those behind it do not") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  inject(pool, "worker.after_claim", 1);
  auto first = pool.run(Echo{"first"});
  auto second = pool.run(Echo{"second"});
  check_crashed(error_of(std::move(first)), "Echo");
  CHECK(value_of(std::move(second)) == "second");
}

// Fault crash.begun (one call)
TEST_CASE("an idempotent call whose worker died is tried again") {
  const LeakCheck leaks;
  for (const char* point :
       {"worker.after_claim", "worker.before_response", "ring.before_publish"}) {
    INFO(point);
    TestPool pool{{.workers = 1}};
    inject(pool, point, point == std::string("worker.after_claim") ? 1 : 2);
    CHECK(value_of(pool.run(Add{40, 2})) == 42);
    CHECK(pool.stats().crashes == 1);
    CHECK(pool.stats().failed == 0);
  }
}

// Fault crash.begun (one call)
TEST_CASE("an idempotent call of a pool that allows one attempt is not tried again") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .max_attempts = 1}};
  inject(pool, "worker.after_claim", 1);
  check_crashed(error_of(pool.run(Add{40, 2})), "Add");
}

// Fault crash.begun (one call)
TEST_CASE("a large request whose worker dies in the middle of it fails") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .bytes = all_in_ring}};
  inject(pool, "worker.after_claim", 1);
  check_crashed(error_of(pool.run(Echo{std::string(4 << 20, 'x')})), "Echo");
  CHECK(value_of(pool.run(Echo{std::string(4 << 20, 'y')})) == std::string(4 << 20, 'y'));
}

// Fault crash.begun (one call)
TEST_CASE("a request whose worker dies while it reads it, or asks for its memory, fails") {
  const LeakCheck leaks;
  struct Moment {
    const char* point;
    int nth;
    BytesLimits bytes;
  };
  const std::string large(1 << 20, 'x');
  for (const Moment& moment :
       {Moment{"worker.mid_request", 1, all_in_ring}, Moment{"worker.mid_request", 7, all_in_ring},
        Moment{"worker.bytes_needed", 1, {}}, Moment{"blob.before_seal", 1, {}},
        Moment{"worker.bytes_passed", 1, {}}}) {
    INFO(moment.point << ", " << moment.nth);
    TestPool pool{{.workers = 1, .bytes = moment.bytes}};
    inject(pool, moment.point, moment.nth);
    check_crashed(error_of(pool.run(Echo{large})), "Echo");
    CHECK(value_of(pool.run(Echo{large})) == large);
  }
}

// Fault crash.begun (many calls)
TEST_CASE("workers that die in large messages, again and again, fail these calls and no others") {
  const LeakCheck leaks;
  struct Moment {
    const char* fault;
    BytesLimits bytes;
  };
  const Moment moment = GENERATE(values<Moment>({{"worker.mid_request:20:kill", all_in_ring},
                                                 {"worker.bytes_needed:4:kill", {}},
                                                 {"blob.before_seal:2:kill", {}},
                                                 {"worker.bytes_passed:2:kill", {}}}));
  INFO(moment.fault);
  TestPool pool{{.workers = 3,
                 .launch = Launch::self().env("BULKHEAD_FAULT", moment.fault),
                 .max_attempts = 1000,
                 .restart = {.count = 0},
                 .bytes = moment.bytes}};
  std::vector<Future<std::string>> large;
  std::vector<Future<int>> idempotent;
  for (int i = 0; i < 40; ++i) {
    large.push_back(pool.run(Echo{std::string(400'000, static_cast<char>('a' + i % 23))}));
    idempotent.push_back(pool.run(Add{i, 1}));
  }
  int failed = 0;
  for (std::size_t i = 0; i < large.size(); ++i) try {
      const std::string text = value_of(std::move(large[i]));
      CHECK(text == std::string(400'000, static_cast<char>('a' + i % 23)));
    } catch (const Error& error) {
      ++failed;
      check_crashed(error, "Echo");
    }
  for (int i = 0; i < 40; ++i)
    CHECK(value_of(std::move(idempotent[static_cast<std::size_t>(i)])) == i + 1);
  CHECK(failed > 0);
  CHECK(pool.stats().failed == static_cast<std::uint64_t>(failed));
}

// Fault crash.begun (one call)
TEST_CASE("no part of a response is delivered when its worker dies in the middle of it") {
  const LeakCheck leaks;
  constexpr std::size_t size = 1 << 20;
  TestPool pool{{.workers = 1, .bytes = all_in_ring}};
  for (const int nth : {1, 2, 3, 5, 9, 16}) {
    INFO(nth);
    inject(pool, "worker.mid_response", nth);
    check_crashed(error_of(pool.run(Answer{size})), "Answer");
  }
  // Copied into the ring, but not published.
  for (const int nth : {2, 3, 4, 7}) {
    INFO(nth);
    inject(pool, "ring.before_publish", nth);
    check_crashed(error_of(pool.run(Answer{size})), "Answer");
  }
  CHECK(value_of(pool.run(Answer{size})) == expected_answer(size));
}

// Fault crash.answered (one call): a worker dies after it published its answer, even before the
// doorbell.
// Then: the answer is delivered.
TEST_CASE("answers before a death are delivered wherever in the ring they lie") {
  const LeakCheck leaks;
  constexpr std::size_t size = 30'000;  // nine of them fill the ring
  TestPool pool{{.workers = 1}};
  for (const int deliveries : {7, 8, 9, 17}) {
    INFO(deliveries);
    inject(pool, "ring.before_publish", deliveries + 2);
    for (int i = 0; i < deliveries; ++i)
      REQUIRE(value_of(pool.run(Answer{size})) == expected_answer(size));
    check_crashed(error_of(pool.run(Answer{size})), "Answer");
  }
}

// Fault crash.answered (one call)
TEST_CASE("an answer that was published is delivered, though its worker died before it rang") {
  const LeakCheck leaks;
  for (int i = 0; i < 8; ++i) {
    TestPool pool{{.workers = 1}};
    inject(pool, "link.before_ring", 2);
    auto call = pool.run(Echo{std::to_string(i)});
    if (i % 2) REQUIRE(wait_until([&] { return call.ready(); }));  // nobody but the reactor waits
    CHECK(value_of(std::move(call)) == std::to_string(i));
    CHECK(wait_until([&] { return pool.stats().crashes == 1; }));
    CHECK(pool.stats().failed == 0);
  }
}

// Fault crash.answered (many calls)
TEST_CASE("an answer that was published is delivered, though many follow that were not") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  inject(pool, "link.before_ring", 51);
  std::vector<Future<int>> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(pool.run(Add{i, 1}));
  for (int i = 0; i < 200; ++i)
    CHECK(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1);
  CHECK(pool.stats().failed == 0);
}

// Fault crash.answered (one call)
TEST_CASE("a worker that dies after its answer fails nothing") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  inject(pool, "worker.after_response", 2);
  CHECK(value_of(pool.run(Echo{"answered"})) == "answered");
  CHECK(value_of(pool.run(Echo{"by the next"})) == "by the next");
  CHECK(pool.stats().crashes == 1);
  CHECK(pool.stats().failed == 0);
}

#endif
