// Calls that are called off, or past their deadline: before they begin, while they run, and when
// their handlers do not listen.
#include <sys/syscall.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "faults/calls.hpp"
#include "faults/service/steering_service.hpp"
#include "support/blocked.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

using SteeringPool = Pool<SteeringService>;

// Handlers that have begun say so in files.
class Begun {
 public:
  std::string file(const std::string& name) const { return folder_ / name; }
  Heed heed(Heeding how, const std::string& name = "it") const {
    return {.how = how, .begun = file(name)};
  }
  pid_t runner(const std::string& name = "it") const {
    REQUIRE(wait_until([&] { return std::filesystem::exists(file(name)); }));
    pid_t pid = 0;
    std::ifstream(file(name)) >> pid;
    return pid;
  }
  bool has(const std::string& name) const { return std::filesystem::exists(file(name)); }

 private:
  TempDir folder_;
};

Launch with_threads(unsigned count) {
  return Launch::self().env("TEST_THREADS", std::to_string(count));
}

// Once so much time has passed, as the clock says.
void let_pass(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  expect(wait_until([&] { return std::chrono::steady_clock::now() >= end; }));
}

void check_ended(const Error& error, errc code) {
  INFO(error.what());
  CHECK(error.code() == code);
}

}  // namespace

// Fault stop.not-begun (one call, many calls): a call is called off, or past its time, before a
// worker has begun it.
// Then: `cancelled` or `deadline_exceeded` at once; it never runs.
TEST_CASE("a call that waits is called off at once and never runs") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Begun begun;
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1, .queue_limit = 2000});
  auto running = pool.run(begun.heed(Heeding::polls));
  begun.runner();
  // The first of them the worker has at hand, the others the queue.
  std::vector<Future<std::string>> waiting;
  for (int i = 0; i < 1000; ++i)
    waiting.push_back(pool.run(begun.heed(Heeding::never, std::to_string(i))));
  for (std::size_t i = 0; i < waiting.size(); i += 2) {
    waiting[i].cancel();
    REQUIRE(waiting[i].ready());
  }
  for (std::size_t i = waiting.size() - 1; i < waiting.size(); i -= 2) waiting[i].cancel();
  for (auto& call : waiting) check_ended(error_of(std::move(call)), errc::cancelled);
  running.cancel();
  check_ended(error_of(std::move(running)), errc::cancelled);
  CHECK(value_of(pool.run(AskDeadline{})) == -1);
  CHECK_FALSE(begun.has("0"));
  CHECK_FALSE(begun.has("999"));
  CHECK(pool.stats().failed == 1001);
  CHECK(pool.stats().queued == 0);
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.not-begun (one call, many calls)
TEST_CASE("a call that no worker begins within its timeout fails, and the others go on") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Begun begun;
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1});
  auto running = pool.run(begun.heed(Heeding::polls));
  begun.runner();
  std::vector<Future<std::string>> late;
  for (int i = 0; i < 300; ++i)
    late.push_back(pool.run(begun.heed(Heeding::never, "late"), {.timeout = 20ms + i * 100us}));
  auto patient = pool.run(AskDeadline{}, {.timeout = 1h});
  for (auto& call : late) {
    const Error error = error_of(std::move(call));
    check_ended(error, errc::deadline_exceeded);
    CHECK(mentions(error, "(timeout); no worker had begun it"));
  }
  running.cancel();
  CHECK(value_of(std::move(patient)) > 0);
  CHECK_FALSE(begun.has("late"));
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.not-begun (one call)
TEST_CASE("a call that is past its time or called off when it is made fails at once") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1});
  std::stop_source stop;
  stop.request_stop();
  check_ended(error_of(pool.run(AskDeadline{}, {.timeout = 0ns})), errc::deadline_exceeded);
  check_ended(error_of(pool.run(AskDeadline{}, {.timeout = -1h})), errc::deadline_exceeded);
  check_ended(error_of(pool.run(AskDeadline{}, {.run_timeout = 0ns})), errc::deadline_exceeded);
  check_ended(error_of(pool.run(AskDeadline{}, {.stop = stop.get_token()})), errc::cancelled);
  CHECK(pool.stats().failed == 4);
  constexpr auto ever = std::chrono::nanoseconds::max();
  CHECK(value_of(pool.run(AskDeadline{}, {.timeout = ever, .run_timeout = ever})) == -1);
}

// Fault stop.heeded (one call): the handler of a call that is called off, or past its time, stops
// when it is asked to.
// Then: its call fails so, whatever it answers; its worker lives on.
TEST_CASE("a handler that stops when it is asked to keeps its worker") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(1u, 3u);
  const Heeding how =
      GENERATE(Heeding::polls, Heeding::waits, Heeding::calls_back, Heeding::throws);
  INFO(threads << " threads, " << int(how));
  const Begun begun;
  SteeringPool pool{{.workers = 1, .launch = with_threads(threads), .kill_grace = 1h}};
  auto cancelled = pool.run(begun.heed(how, "cancelled"));
  const pid_t pid = begun.runner("cancelled");
  cancelled.cancel();
  check_ended(error_of(std::move(cancelled)), errc::cancelled);

  auto late = pool.run(begun.heed(how, "late"), {.timeout = 50ms});
  check_ended(error_of(std::move(late)), errc::deadline_exceeded);
  auto slow = pool.run(begun.heed(how, "slow"), {.run_timeout = 30ms});
  const Error error = error_of(std::move(slow));
  check_ended(error, errc::deadline_exceeded);
  CHECK(mentions(error, "ran for more than 30 ms (run_timeout)"));

  std::stop_source stop;
  auto stopped = pool.run(begun.heed(how, "stopped"), {.stop = stop.get_token()});
  CHECK(begun.runner("stopped") == pid);
  stop.request_stop();
  check_ended(error_of(std::move(stopped)), errc::cancelled);
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.unheeded (one call, many calls): it goes on: it does not look, loops for ever, is
// stopped by a signal.
// Then: after `kill_grace` its worker is killed and replaced; the call fails with its report, the
// cause is `cancelled` or `deadline`; what that worker had not begun goes on elsewhere.
TEST_CASE("a handler that does not stop is killed with its worker, which is replaced") {
  const LeakCheck leaks;
  const bool frozen = GENERATE(false, true);
  const bool late = GENERATE(false, true);
  INFO("frozen " << frozen << ", late " << late);
  const Begun begun;
  SteeringPool pool{{.workers = 1, .kill_grace = 20ms}};
  RunOptions options;
  if (late) options.timeout = 100ms;
  auto call = pool.run(begun.heed(frozen ? Heeding::polls : Heeding::never), options);
  const pid_t pid = begun.runner();
  if (frozen) REQUIRE(::kill(pid, SIGSTOP) == 0);
  std::vector<Future<double>> others;
  for (int i = 0; i < 300; ++i) others.push_back(pool.run(AskDeadline{}));
  if (!late) call.cancel();
  const Error error = error_of(std::move(call));
  check_ended(error, late ? errc::deadline_exceeded : errc::cancelled);
  REQUIRE(error.crash());
  CHECK(error.crash()->pid == pid);
  CHECK(error.crash()->cause == (late ? Cause::deadline : Cause::cancelled));
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].request == "Heed");
  for (auto& other : others) CHECK(value_of(std::move(other)) == -1);
  CHECK(pool.stats().crashes == 1);
}

// Fault stop.unheeded (many calls)
TEST_CASE("a call that ran beside one that was killed for its deadline is tried again") {
  const LeakCheck leaks;
  const Begun begun;
  const Gate gate;
  SteeringPool pool{{.workers = 1, .launch = with_threads(2), .kill_grace = 10ms}};
  auto deaf = pool.run(begun.heed(Heeding::never), {.run_timeout = 50ms});
  auto beside = pool.run(AnswerLate{begun.file("beside"), begun.file("open")});
  begun.runner("beside");
  check_ended(error_of(std::move(deaf)), errc::deadline_exceeded);
  check_ended(error_of(std::move(beside)), errc::worker_crashed);  // it is not idempotent
  CHECK(value_of(pool.run(AskDeadline{})) == -1);
}

// Fault stop.unheeded (one call)
TEST_CASE("a lone worker ends with the call that does not stop") {
  const LeakCheck leaks;
  const Begun begun;
  auto worker = Worker<SteeringService>::start({.kill_grace = 10ms});
  auto call = worker.run(begun.heed(Heeding::never));
  begun.runner();
  call.cancel();
  const Error error = error_of(std::move(call));
  check_ended(error, errc::cancelled);
  CHECK(mentions(error, "was killed for not stopping when it was asked to"));
  REQUIRE(worker.crash());
  CHECK(worker.crash()->cause == Cause::cancelled);
  check_ended(error_of(worker.run(AskDeadline{})), errc::worker_crashed);
}

// Fault stop.run-timeout (one call): a call waits for longer than it may run.
// Then: its time counts from when it begins.
TEST_CASE("the time that a call may run does not pass while it waits") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 2u);
  const Begun begun;
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1}, threads);
  std::vector<Future<std::string>> running;
  for (unsigned i = 0; i < threads; ++i) {
    running.push_back(pool.run(begun.heed(Heeding::polls, std::to_string(i))));
    begun.runner(std::to_string(i));
  }
  auto waiting = pool.run(AskDeadline{}, {.run_timeout = 500ms});
  auto too_late = pool.run(AskDeadline{}, {.timeout = 600ms});
  check_ended(error_of(std::move(too_late)), errc::deadline_exceeded);
  CHECK_FALSE(waiting.ready());
  for (auto& call : running) call.cancel();
  const double left = value_of(std::move(waiting));
  CHECK(left > 0);
  CHECK(left <= 500);
}

// Fault stop.heeded (one call)
TEST_CASE("a handler knows when its caller's patience ends") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1});
  CHECK(value_of(pool.run(AskDeadline{})) == -1);
  const double by_timeout = value_of(pool.run(AskDeadline{}, {.timeout = 1h}));
  CHECK(by_timeout > 0);
  CHECK(by_timeout <= 3'600'000);
  const double by_both = value_of(pool.run(AskDeadline{}, {.timeout = 2h, .run_timeout = 1h}));
  CHECK(by_both > 0);
  CHECK(by_both <= 3'600'000);
}

// Fault stop.answered (one call): the answer comes as the call is being stopped.
// Then: it ends once. An answer that is there when its deadline comes wins.
TEST_CASE("an answer that is there when its deadline comes wins") {
  const LeakCheck leaks;
  const Begun begun;
  SteeringPool pool{{.workers = 1}};
  // The app is stopped from before the answer until after the deadline, so that it finds both.
  const pid_t app = ::getpid();
  constexpr auto timeout = 2s;
  auto call = pool.run(AnswerLate{begun.file("it"), begun.file("open")}, {.timeout = timeout});
  const pid_t worker = begun.runner();
  const pid_t keeper = start_in_child([&] {
    ::kill(app, SIGSTOP);
    std::ofstream(begun.file("open"));
    // It has answered, and waits for more.
    const bool answered =
        wait_until([&] { return system_call_of(worker, worker) == SYS_recvfrom; });
    let_pass(timeout);
    ::kill(app, SIGCONT);
    expect(answered);
  });
  CHECK(value_of(std::move(call)).size() == 1 << 20);
  int status = 0;
  CHECK(::waitpid(keeper, &status, 0) == keeper);
  CHECK(status == 0);
}

// Fault stop.answered (many calls)
TEST_CASE("calls that are called off while they are answered end once, and no other") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 2});
  std::uint64_t answered = 0, cancelled = 0;
  for (int i = 0; i < 5000; ++i) {
    auto call = pool.run(AskDeadline{}, {.timeout = 1h});
    for (int turns = 0; turns < i % 50; ++turns) std::this_thread::yield();
    call.cancel();
    try {
      value_of(std::move(call));
      ++answered;
    } catch (const Error& error) {
      CHECK(error.code() == errc::cancelled);
      ++cancelled;
    }
  }
  CHECK(answered + cancelled == 5000);
  CHECK(wait_until([&] { return pool.stats().in_flight == 0; }));
  CHECK(pool.stats().completed == answered);
  CHECK(pool.stats().failed == cancelled);
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.heeded (many calls)
TEST_CASE("one token calls off many calls, from another thread, and outlives them") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Begun begun;
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 2, .kill_grace = 1h});
  std::stop_source stop;
  std::vector<Future<std::string>> calls;
  for (int i = 0; i < 100; ++i)
    calls.push_back(
        pool.run(begun.heed(Heeding::waits, std::to_string(i)), {.stop = stop.get_token()}));
  calls.erase(calls.begin() + 50, calls.end());  // nobody waits for these
  std::jthread([&] { stop.request_stop(); });
  for (auto& call : calls) check_ended(error_of(std::move(call)), errc::cancelled);
  CHECK(wait_until([&] { return pool.stats().failed == 100; }));
  CHECK(value_of(pool.run(AskDeadline{})) == -1);
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.heeded (one call)
TEST_CASE("a call that is called off lets go of its bytes, and of those it is answered with") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Begun begun;
  SteeringPool pool = pool_of<SteeringService>(kind, {.workers = 1, .kill_grace = 1h});
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    auto call = pool.run(AnswerLate{begun.file(number), begun.file("open" + number)});
    begun.runner(number);
    call.cancel();
    CHECK_FALSE(call.ready());
    std::ofstream(begun.file("open" + number));
    check_ended(error_of(std::move(call)), errc::cancelled);
  }
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.not-begun (many calls)
TEST_CASE("a pool that is shut down or dropped ends calls that are being stopped") {
  const LeakCheck leaks;
  const Begun begun;
  Future<std::string> dropped;
  {
    SteeringPool pool{{.workers = 1, .kill_grace = 1h}};
    auto call = pool.run(begun.heed(Heeding::never), {.timeout = 1h});
    begun.runner();
    call.cancel();
    CHECK(pool.shutdown(10ms).calls_failed == 1);
    check_ended(error_of(std::move(call)), errc::shut_down);

    SteeringPool other{{.workers = 1, .kill_grace = 1h}};
    dropped = other.run(begun.heed(Heeding::never, "other"), {.timeout = 1h});
    begun.runner("other");
    dropped.cancel();
  }
  check_ended(error_of(std::move(dropped)), errc::shut_down);
  CHECK_THROWS_WITH(SteeringPool({.workers = 1, .kill_grace = -1ms}),
                    Catch::Contains("PoolOptions::kill_grace"));
}
