// Workers that answer with what no worker writes: the app stays well, and so do other calls.
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

void check_violation(const Error& error, const std::string& request) {
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "was killed for breaking the protocol"));
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::protocol_violation);
  CHECK(error.crash()->status.signal == SIGKILL);
  // Until it is killed it goes on with the calls that it has.
  REQUIRE_FALSE(error.crash()->running.empty());
  CHECK(error.crash()->running[0].request == request);
}

const char* words_for(Forgery forgery) {
  switch (forgery) {
    case Forgery::none:
      return "";
    case Forgery::huge_count:
      return "declares 1099511627776 elements";
    case Forgery::bool_of_two:
      return "a bool reads 2";
    case Forgery::wrong_enum:
      return "Mood, is 9";
    case Forgery::deep_nesting:
      return "can not be";
    case Forgery::cut_short:
      return "are left";
    case Forgery::too_long:
      return "bytes follow the value";
  }
  return "";
}

}  // namespace

// Fault hostile.values (one call): it declares sizes that are not there, bools that are none,
// enumerators out of range, endless nesting.
// Then: refused before memory is taken: at most four times the frame; `protocol_violation`.
TEST_CASE("a forged value ends its worker and fails its call, with what was wrong") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  CHECK(value_of(pool.run(Forge{Forgery::none})).numbers.empty());
  for (const Forgery forgery : {Forgery::huge_count, Forgery::bool_of_two, Forgery::wrong_enum,
                                Forgery::deep_nesting, Forgery::cut_short, Forgery::too_long}) {
    INFO(static_cast<int>(forgery));
    const Error error = error_of(pool.run(Forge{forgery}));
    check_violation(error, "Forge");
    CHECK(mentions(error, words_for(forgery)));
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
}

// Fault hostile.values (many calls)
TEST_CASE("a forged value disturbs no other call") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::vector<Future<int>> others;
  std::vector<Future<Forged>> forged;
  for (int i = 0; i < 300; ++i) {
    others.push_back(pool.run(Add{i, 1}));
    if (i % 50 == 0) forged.push_back(pool.run(Forge{Forgery::huge_count}));
  }
  for (int i = 0; i < 300; ++i)
    CHECK(value_of(std::move(others[static_cast<std::size_t>(i)])) == i + 1);
  for (auto& call : forged) check_violation(error_of(std::move(call)), "Forge");
}

// Fault hostile.messages (one call): it answers twice, for others, for what it was not asked, with
// another type.
// Then: `protocol_violation`.
TEST_CASE("a forged message ends its worker, and its call fails") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  for (int i = 0; i < static_cast<int>(Message::count); ++i) {
    const auto message = static_cast<Message>(i);
    if (message == Message::second_answer) continue;  // the first of the two is good
    INFO(i);
    check_violation(error_of(pool.run(SendForged{message})), "SendForged");
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
}

// Fault hostile.messages (one call)
TEST_CASE("a second answer to a call ends its worker, and the first counts") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1}};
  const pid_t pid = pid_of(pool);
  value_of(pool.run(SendForged{Message::second_answer}));
  CHECK(wait_until([&] { return pool.stats().crashes == 1; }));
  CHECK(pid_of(pool) != pid);
}

// Fault hostile.messages (one call)
TEST_CASE("a lone worker that sends a forged message says what it did") {
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  check_violation(error_of(worker.run(SendForged{Message::unknown_call})), "SendForged");
  REQUIRE(worker.crash());
  CHECK(worker.crash()->cause == Cause::protocol_violation);
  const Error later = error_of(worker.run(Add{1, 2}));
  INFO(later.what());
  CHECK(later.code() == errc::worker_crashed);
  CHECK(mentions(later, "it answered a call that it did not have"));
}

// Fault hostile.messages (many calls)
TEST_CASE("forged messages disturb no call of other workers") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  for (int i = 1; i < static_cast<int>(Message::count); ++i) {
    INFO(i);
    std::vector<Future<int>> others;
    for (int k = 0; k < 20; ++k) others.push_back(pool.run(Add{k, 1}));
    auto forged = pool.run(SendForged{static_cast<Message>(i)});
    for (int k = 20; k < 40; ++k) others.push_back(pool.run(Add{k, 1}));
    for (int k = 0; k < 40; ++k)
      CHECK(value_of(std::move(others[static_cast<std::size_t>(k)])) == k + 1);
    check_violation(error_of(std::move(forged)), "SendForged");
  }
}
