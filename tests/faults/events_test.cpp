// What a pool tells of itself: events and statistics.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <sstream>
#include <thread>

#include "faults/calls.hpp"
#include "faults/event_log.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

// Fault events.life (one call): workers start, crash, are replaced and leave.
// Then: the owner is told in order, of each worker, with the reports.
TEST_CASE("the owner of a pool is told of each worker from its start to its end") {
  const LeakCheck leaks;
  EventLog log;
  pid_t first = 0, second = 0;
  {
    TestPool pool{{.workers = 1, .on_event = log.callback()}};
    first = pid_of(pool);
    CHECK(error_of(pool.run(Die{})).code() == errc::worker_crashed);
    second = pid_of(pool);
    pool.shutdown();
  }
  using enum EventKind;
  CHECK(log.kinds(first) == std::vector{started, ready, crashed});
  CHECK(log.kinds(second) == std::vector{started, ready, stopped});
  const auto crash = log.find(crashed, first);
  REQUIRE(crash->report);
  CHECK(crash->report->status.signal == SIGABRT);
  CHECK(crash->report->running.size() == 1);
  CHECK(crash->text.find("died of SIGABRT") != std::string::npos);
  CHECK(crash->service == "test");
  CHECK(log.find(stopped, second)->report->cause == Cause::shut_down);
}

// Fault events.calls (many calls): calls are answered, fail, and are refused.
// Then: the owner is told of each, with the error.
TEST_CASE("the owner of a pool is told how each call ended, and never what was in it") {
  const LeakCheck leaks;
  EventLog log;
  {
    TestPool pool{{.workers = 1, .max_message = 1 << 20, .on_event = log.callback()}};
    for (int i = 0; i < 10; ++i) value_of(pool.run(Echo{"secret"}));
    error_of(pool.run(Throw{}));
    error_of(pool.run(Echo{std::string(2 << 20, 'x')}));
    error_of(pool.run(Die{}));
  }
  std::vector<std::error_code> errors;
  for (const Event& event : log.all()) {
    CHECK(event.text.find("secret") == std::string::npos);
    if (event.kind != EventKind::call_settled) continue;
    errors.push_back(event.error);
    CHECK_FALSE(event.request.empty());
    CHECK((event.call == 0) == (event.error == errc::message_too_large));
  }
  REQUIRE(errors.size() == 13);
  CHECK(std::count(errors.begin(), errors.end(), std::error_code()) == 10);
  CHECK(errors[10] == errc::handler_failed);
  CHECK(errors[11] == errc::message_too_large);
  CHECK(errors[12] == errc::worker_crashed);
}

// Fault events.slow (many calls): the owner's function takes long, or throws.
// Then: calls go on; too many of them are not told one by one, and how many is told.
TEST_CASE("a slow or throwing listener holds up nobody, and hears what it missed") {
  const LeakCheck leaks;
  boost::asio::io_context context;
  std::uint64_t told = 0, missed = 0;
  {
    TestPool pool{{.workers = 2,
                   .on_event =
                       [&](const Event& event) {
                         told += event.kind == EventKind::call_settled;
                         missed += event.missed;
                         throw std::runtime_error("not that way");
                       },
                   .executor = context.get_executor()}};
    for (int i = 0; i < 10'000; ++i) value_of(pool.run(Add{i, 1}));
    context.run();
    value_of(pool.run(Add{1, 1}));
    context.restart();
    context.run();
  }
  CHECK(missed > 0);
  CHECK(told + missed == 10'001);
}

// Fault events.broken (idle): workers die as they start, too often.
// Then: the owner is told that the pool is broken, once, and when it is healed.
TEST_CASE("the owner of a pool is told when it is broken, and when it is healed") {
  const LeakCheck leaks;
  const TempDir folder;
  const std::string broken = folder / "broken";
  EventLog log;
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("TEST_WARM_UP", "die_if=" + broken),
                 .restart = {.count = 1},
                 .on_event = log.callback()}};
  std::ofstream{broken};
  REQUIRE(::kill(pid_of(pool), SIGKILL) == 0);
  const auto event = log.find(EventKind::broken);
  REQUIRE(event);
  CHECK(event->text.find("gave up") != std::string::npos);
  CHECK(event->report);
  CHECK(log.count(EventKind::healed) == 0);
  std::filesystem::remove(broken);
  pool.reload();
  CHECK(log.has(EventKind::healed));
  CHECK(log.count(EventKind::broken) == 1);
}

// Fault events.owner (idle): the pool is destroyed while its owner is told something.
// Then: the function is not called any more once the destructor returns.
TEST_CASE("a listener is never called after its pool is gone") {
  const LeakCheck leaks;
  boost::asio::io_context context;
  for (int round = 0; round < 20; ++round) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    context.restart();
    std::jthread runner;
    {
      TestPool pool{{.workers = 1,
                     .on_event = [&](const Event&) { CHECK(alive->load()); },
                     .executor = context.get_executor()}};
      runner = std::jthread([&] { context.run(); });
      for (int i = 0; i < 50; ++i) value_of(pool.run(Add{i, 1}));
    }
    *alive = false;
  }
}

TEST_CASE("the statistics of a pool tell what each worker does and how long calls take") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2, .spares = 1}};
  for (int i = 0; i < 100; ++i) value_of(pool.run(Add{i, 1}));
  auto held = pool.run(gate.call("one"));
  const pid_t busy = gate.runner("one");
  const PoolStats stats = pool.stats();
  REQUIRE(stats.each.size() == 3);
  std::uint64_t completed = 0;
  for (const WorkerStats& worker : stats.each) {
    CHECK(worker.pid > 0);
    CHECK(worker.memory > 100'000);
    CHECK(worker.state == (worker.pid == busy ? WorkerState::busy : WorkerState::idle));
    CHECK(worker.running.size() == (worker.pid == busy ? 1u : 0u));
    if (worker.pid == busy) CHECK(worker.running.at(0).request == "Block");
    completed += worker.completed;
  }
  CHECK(std::count_if(stats.each.begin(), stats.each.end(), [](auto& w) { return w.spare; }) == 1);
  CHECK(completed == 100);
  CHECK(stats.run_time.count > 0);
  CHECK(stats.run_time.count <= 100);
  CHECK(stats.run_time.max > 0ns);
  CHECK(stats.run_time.p50 <= stats.run_time.p99);
  CHECK(stats.queue_time.count == stats.run_time.count);
  gate.open();
  value_of(std::move(held));
  REQUIRE(::kill(busy, SIGKILL) == 0);
  CHECK(wait_until([&] { return pool.stats().ends.contains(Cause::signaled); }));
}

TEST_CASE("the time that calls wait and run is told apart") {
  const LeakCheck leaks;
  const Gate gate, other;
  TestPool pool{{.workers = 1}};
  auto held = pool.run(gate.call("one"));
  auto waits = pool.run(other.call("two"));
  gate.runner("one");
  const auto since = std::chrono::steady_clock::now();
  REQUIRE(wait_until([&] { return std::chrono::steady_clock::now() - since > 50ms; }));
  gate.open();
  value_of(std::move(held));
  other.open();
  value_of(std::move(waits));
  const PoolStats stats = pool.stats();
  CHECK(stats.run_time.count == 2);
  CHECK(stats.run_time.max >= 50ms);
  CHECK(stats.run_time.p50 < stats.run_time.max);
  CHECK(stats.queue_time.max >= 50ms);
  CHECK(stats.queue_time.p50 < 50ms);
}

// Fault events.output (many calls): workers write much, and what could harm a terminal.
// Then: lines are told whole, in order, without control characters; too many are dropped, and calls
// go on.
TEST_CASE("what workers write is told line by line") {
  const LeakCheck leaks;
  EventLog log;
  TestPool pool{{.workers = 1, .on_event = log.callback(), .output = WorkerOutput::event}};
  value_of(pool.run(Say{"one\n\x1b[31mtwo\nthr", 1}));
  value_of(pool.run(Say{"bad\n", 2}));
  value_of(pool.run(Say{"ee\n", 1}));
  CHECK(wait_until([&] { return log.count(EventKind::output) == 4; }));
  std::vector<std::string> out, err;
  for (const Event& event : log.all())
    if (event.kind == EventKind::output) (event.descriptor == 1 ? out : err).push_back(event.text);
  CHECK(out == std::vector<std::string>{"one", "\\x1b[31mtwo", "three"});
  CHECK(err == std::vector<std::string>{"bad"});
}

// Fault events.output (many calls)
TEST_CASE("what workers write is logged with their names, and a flood of it is cut") {
  const LeakCheck leaks;
  std::ostringstream written;
  set_logger(std::make_shared<spdlog::logger>(
      "mine", std::make_shared<spdlog::sinks::ostream_sink_mt>(written)));
  pid_t worker = 0;
  {
    TestPool pool{{.workers = 1, .output = WorkerOutput::log}};
    worker = pid_of(pool);
    value_of(pool.run(Say{"hello\n", 1}));
    std::string flood;
    for (int i = 0; i < 100'000; ++i) flood += "flood\n";
    value_of(pool.run(Say{flood}));
    CHECK(value_of(pool.run(Add{1, 1})) == 2);
  }
  set_logger(nullptr);
  const std::string all = written.str();
  CHECK(all.find("test worker " + std::to_string(worker) + " wrote: hello") != std::string::npos);
  CHECK(all.find("wrote: flood") != std::string::npos);
  CHECK(std::count(all.begin(), all.end(), '\n') < 50'000);
}

TEST_CASE("lines cannot be told to nobody") {
  CHECK_THROWS_WITH(TestPool({.workers = 1, .output = WorkerOutput::event}),
                    Catch::Contains("on_event"));
}
