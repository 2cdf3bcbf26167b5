// Workers that serve on several threads, from their start to their end.
#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "faults/threads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

TEST_CASE("handlers of one worker run at the same time, as many as it has threads") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 1, .launch = on_threads(4)}};
  auto running = run_all(pool, gate, {"1", "2", "3", "4"});
  auto waiting = pool.run(gate.call("5"));
  CHECK(pool.stats().in_flight == 4);
  CHECK(pool.stats().queued == 1);
  CHECK_FALSE(gate.begun("5"));
  gate.open();
  const pid_t pid = value_of(std::move(waiting));
  for (auto& call : running) CHECK(value_of(std::move(call)) == pid);
  CHECK(pool.stats().in_flight == 0);
}

// Fault value.slow-call (many calls)
TEST_CASE("an answer does not wait for a slower one of the same worker") {
  const LeakCheck leaks;
  const Gate gate;
  auto worker = TestWorker::start({.launch = on_threads(2)});
  auto slow = worker.run(gate.call("slow"));
  gate.runner("slow");
  for (int i = 0; i < 500; ++i) REQUIRE(value_of(worker.run(Add{i, 1})) == i + 1);
  std::vector<Future<int>> many;
  for (int i = 0; i < 500; ++i) many.push_back(worker.run(Add{i, 2}));
  for (int i = 0; i < 500; ++i)
    REQUIRE(value_of(std::move(many[static_cast<std::size_t>(i)])) == i + 2);
  CHECK_FALSE(slow.ready());
  gate.open();
  CHECK(value_of(std::move(slow)) == worker.pid());
}

// Fault value.throws (many calls)
TEST_CASE("what one handler throws concerns no other beside it") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1}, 4);
  const pid_t pid = pid_of(pool);
  std::vector<Future<void>> thrown;
  std::vector<Future<std::string>> answered;
  for (int i = 0; i < 100; ++i) {
    thrown.push_back(pool.run(Throw{Thrown(i % 4)}));
    answered.push_back(pool.run(Echo{std::to_string(i)}));
  }
  for (int i = 0; i < 100; ++i) {
    CHECK(error_of(std::move(thrown[static_cast<std::size_t>(i)])).code() == errc::handler_failed);
    CHECK(value_of(std::move(answered[static_cast<std::size_t>(i)])) == std::to_string(i));
  }
  CHECK(pid_of(pool) == pid);
}

// Fault value.sizes (many calls)
TEST_CASE("large answers of several threads come back whole") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 2}, 3);
  std::vector<Future<std::string>> answers, echoes;
  constexpr std::size_t mib = std::size_t{1} << 20;
  for (std::size_t i = 0; i < 24; ++i) {
    answers.push_back(pool.run(Answer{mib + i}));
    echoes.push_back(pool.run(Echo{std::string(mib + i, static_cast<char>('a' + i))}));
  }
  for (std::size_t i = 0; i < 24; ++i) {
    const std::string answer = value_of(std::move(answers[i]));
    REQUIRE(answer.size() == mib + i);
    bool intact = true;
    for (std::size_t at = 0; at < answer.size(); ++at)
      intact &= answer[at] == static_cast<char>('a' + at % 23);
    CHECK(intact);
    CHECK((value_of(std::move(echoes[i])) == std::string(mib + i, static_cast<char>('a' + i))));
  }
}

// Fault value.futures (many calls)
TEST_CASE("many threads call workers of many threads") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 2, .queue_limit = 100'000}, 4);
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller)
      callers.emplace_back([&, caller] {
        std::vector<Future<int>> calls;
        for (int i = 0; i < 300; ++i) calls.push_back(pool.run(Add{caller, i}));
        for (int i = 0; i < 300; ++i)
          right += value_of(std::move(calls[static_cast<std::size_t>(i)])) == caller + i;
        for (int i = 0; i < 100; ++i) right += value_of(pool.run(Add{caller, i})) == caller + i;
      });
  }
  CHECK(right == 8 * 400);
  CHECK(pool.stats().completed == 8 * 400);
  CHECK(pool.stats().crashes == 0);
}

// Fault value.slow-call (many calls)
TEST_CASE("calls go to the worker with a free thread, and wait for none that has one") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2, .launch = on_threads(2)}};
  auto running = run_all(pool, gate, {"1", "2", "3"});
  std::vector<Future<int>> calls;
  // Some of these are given ahead to the worker that has no thread free.
  for (int i = 0; i < 1000; ++i) calls.push_back(pool.run(Add{i, 0}));
  for (int i = 0; i < 1000; ++i)
    CHECK(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i);
  auto fourth = pool.run(gate.call("4"));
  running.push_back(std::move(fourth));
  gate.runner("4");
  gate.open();
  std::multiset<pid_t> pids;
  for (auto& call : running) pids.insert(value_of(std::move(call)));
  CHECK(pids.size() == 4);
  CHECK(pids.count(*pids.begin()) == 2);
}

// Fault value.queue-full (many calls)
TEST_CASE("the queue limit counts the calls that no thread runs") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Gate gate;
  const std::size_t limit = GENERATE(0u, 2u);
  TestPool pool = pool_of<TestService>(kind, {.workers = 1, .queue_limit = limit}, 3);
  auto running = run_all(pool, gate, {"1", "2", "3"});
  std::vector<Future<int>> waiting;
  for (std::size_t i = 0; i < limit; ++i) waiting.push_back(pool.run(Add{1, 1}));
  CHECK(pool.stats().queued == limit);
  CHECK(error_of(pool.run(Add{1, 1})).code() == errc::queue_full);
  gate.open();
  for (auto& call : running) value_of(std::move(call));
  for (auto& call : waiting) CHECK(value_of(std::move(call)) == 2);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault end.shutdown (many calls)
TEST_CASE("a shutdown waits for all handlers that run, and all threads leave") {
  const LeakCheck leaks;
  const Gate gate;
  const TempDir folder;
  TestPool pool{
      {.workers = 1,
       .launch = on_threads(3).env("TEST_ON_EXIT", "touch=" + (folder / "left").string())}};
  auto running = run_all(pool, gate, {"1", "2"});
  ShutdownReport report;
  std::thread shutting([&] { report = pool.shutdown(); });
  CHECK(wait_until([&] {
    auto refused = pool.run(Add{1, 1});
    try {
      value_of(std::move(refused));
    } catch (const Error& error) {
      return error.code() == errc::shut_down;
    }
    return false;
  }));
  CHECK_FALSE(running[0].ready());
  CHECK_FALSE(running[1].ready());
  gate.open();
  shutting.join();
  for (auto& call : running) CHECK(value_of(std::move(call)) > 0);
  CHECK(report.workers_left == 1);
  CHECK(report.workers_killed == 0);
  CHECK(report.calls_completed >= 2);
  CHECK(std::filesystem::exists(folder / "left"));
}

// Fault end.destroyed (many calls)
TEST_CASE("a pool that is destroyed while several handlers run fails them all") {
  const LeakCheck leaks;
  const Gate gate;
  std::vector<Future<pid_t>> running;
  {
    TestPool pool{{.workers = 2, .launch = on_threads(3)}};
    running = run_all(pool, gate, {"1", "2", "3", "4"});
  }
  for (auto& call : running) CHECK(error_of(std::move(call)).code() == errc::shut_down);
}

// Fault start.thread-count (idle): `ServeOptions::threads` is 0 or more than 1024, or a thread
// cannot be started.
// Then: `start_failed`, with the option, or the errno.
TEST_CASE("a number of threads that no worker can have is an error that names the option") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(0u, 1025u);
  const auto check = [&](const Error& error) {
    INFO(error.what());
    CHECK(error.code() == errc::start_failed);
    CHECK(mentions(error, "ServeOptions::threads is " + std::to_string(threads)));
    CHECK(mentions(error, "from 1 to 1024"));
  };
  check(start_error_of([&] { return TestPool{{.workers = 2, .launch = on_threads(threads)}}; }));
  check(start_error_of([&] { return TestWorker::start({.launch = on_threads(threads)}); }));
}

// Fault start.thread-count (many calls)
TEST_CASE("a worker with as many threads as may be serves") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = on_threads(1024), .queue_limit = 10'000}};
  std::vector<Future<int>> calls;
  for (int i = 0; i < 3000; ++i) calls.push_back(pool.run(Add{i, 1}));
  for (int i = 0; i < 3000; ++i)
    CHECK(value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1);
}

// Fault start.thread-count (idle)
TEST_CASE("a thread that can not be started fails its worker's start") {
  const LeakCheck leaks;
  const Error error = start_error_of([] {
    return TestPool{
        {.workers = 1,
         .launch = on_threads(4).env("BULKHEAD_FAULT", "worker.start_thread:2:errno=11")}};
  });
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  CHECK(mentions(error, "thread 3 of the 4 that ServeOptions::threads asks for"));
  CHECK(mentions(error, "Resource temporarily unavailable"));
}
