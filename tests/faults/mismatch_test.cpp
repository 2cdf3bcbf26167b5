#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

template <class S = TestService>
Error error_of_launch(const Launch& launch,
                      std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  return start_error_of(
      [&] { return Pool<S>({.workers = 2, .launch = launch, .connect_timeout = timeout}); });
}

Launch test_worker(const std::string& contract) {
  return Launch::executable(TEST_WORKER).arg(contract);
}

Launch strange_worker(const std::vector<std::string>& how) {
  return Launch::executable(STRANGE_WORKER).args(how);
}

struct NeverServed : Service<"never served", Echo> {};

}  // namespace

TEST_CASE("another executable serves") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .launch = Launch::executable(TEST_WORKER)}};
  CHECK(value_of(pool.run(Add{20, 22})) == 42);
  CHECK(value_of(pool.run(LookAround{})).arguments == std::vector<std::string>{TEST_WORKER});
}

// Fault start.mismatch (idle): the program was built from another protocol, standard library,
// service, version or list of requests.
// Then: `version_mismatch` or `contract_mismatch`, with both sides' values; not a word of a call is
// sent.
TEST_CASE("a program built from another version of the service is refused with both versions") {
  const LeakCheck leaks;
  const Error error = error_of_launch(test_worker("newer"));
  INFO(error.what());
  CHECK(error.code() == errc::contract_mismatch);
  CHECK(mentions(error, "test version 0"));
  CHECK(mentions(error, "test version 7"));
}

// Fault start.mismatch (idle)
TEST_CASE("a program built from another list of requests is refused with both lists") {
  const LeakCheck leaks;
  const Error error = error_of_launch(test_worker("shorter"));
  INFO(error.what());
  CHECK(error.code() == errc::contract_mismatch);
  CHECK(mentions(error, "(requests: Echo)"));
  CHECK(mentions(error, "Echo, Add"));
}

// Fault start.mismatch (idle)
TEST_CASE("a program that serves another service is refused with both names") {
  const LeakCheck leaks;
  const Error error = error_of_launch(test_worker("other"));
  INFO(error.what());
  CHECK(error.code() == errc::contract_mismatch);
  CHECK(mentions(error, "this app calls test version"));
  CHECK(mentions(error, "serves other version"));
}

// Fault start.mismatch (idle)
TEST_CASE("a program of another protocol is refused with both protocols") {
  const LeakCheck leaks;
  const Error error = error_of_launch(strange_worker({"protocol", "77"}));
  INFO(error.what());
  CHECK(error.code() == errc::version_mismatch);
  CHECK(mentions(error, "protocol 77"));
  CHECK(mentions(error, "protocol 1"));
}

// Fault start.no-worker (idle)
TEST_CASE("a program that sends what no worker sends is ended") {
  const LeakCheck leaks;
  for (const char* how : {"garbage", "cut", "babble"}) {
    INFO(how);
    const Error error = error_of_launch(strange_worker({how}));
    CHECK(error.code() == errc::start_failed);
    REQUIRE(error.crash());
    CHECK(error.crash()->status.signal == SIGKILL);
  }
}

// Fault start.no-worker (idle)
TEST_CASE("a program that greets and says nothing more is ended at the timeout") {
  const LeakCheck leaks;
  const Error error = error_of_launch(strange_worker({"silent"}), std::chrono::milliseconds(50));
  CHECK(error.code() == errc::connect_timeout);
}

// Fault start.not-served: the program's author forgot `serve_if_worker`, and it makes a pool
// itself.
// Then: `not_served` on both sides; it launches itself once, and no more.
TEST_CASE("a worker program that somebody starts by hand says what it is") {
  const LeakCheck leaks;
  std::string said;
  std::FILE* const pipe = ::popen(TEST_WORKER " 2>&1", "r");
  REQUIRE(pipe);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
  CHECK(WEXITSTATUS(::pclose(pipe)) == 64);
  CHECK(said.find("worker for the service \"test\"") != said.npos);
  CHECK(said.find("Launch::executable") != said.npos);
}

// Fault start.not-served
TEST_CASE("a program that serves other services than the one it is launched for is told which") {
  const LeakCheck leaks;
  // Launched for NeverServed, this program comes to a main that makes a pool.
  const auto launch = Launch::self().arg("--app=start_only").arg("/nowhere");
  const Error error = error_of_launch<NeverServed>(launch);
  INFO(error.what());
  CHECK(error.code() == errc::not_served);
  CHECK(mentions(error, "launched as a worker for never served"));
  CHECK(mentions(
      error,
      "it serves: bytes, channels, steering, progress, coroutines, log, co_log, second, test"));
}

// Fault start.not-served (idle)
TEST_CASE("an app that forgot to serve fails at once, and launches itself but once") {
  const LeakCheck leaks;
  const TempDir folder;
  App app("any", {}, {{"TEST_FORGETFUL", folder / "log"}});
  const auto ending = app.ending();
  INFO(app.written());
  CHECK(ending.how == platform::Ending::How::exited);
  CHECK(ending.status == 7);
  CHECK(app.written().find("call bulkhead::serve_if_worker first") != std::string::npos);
  CHECK(pids_in(folder / "log").size() == 2);
}
