// What a pool does with its queue: when it is full, and in which order calls leave it.
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "faults/calls.hpp"
#include "faults/threads.hpp"
#include "support/blocked.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

PoolOptions waiting_pool(std::size_t limit, std::chrono::milliseconds wait = 1h) {
  return {.workers = 1, .queue_limit = limit, .on_full = OnFull::wait, .queue_wait = wait};
}

// A thread that calls run(). Made once that waits or has returned.
template <class Request>
class Caller {
 public:
  Caller(TestPool& pool, Request request, RunOptions options = {})
      : thread_([this, &pool, request = std::move(request), options] {
          id_ = ::gettid();
          future_ = pool.run(request, options);
          returned_ = true;
        }) {
    const auto waits = [&] { return id_ != 0 && system_call_of(::getpid(), id_) == SYS_futex; };
    if (!wait_until([&] { return waits() || returned(); })) std::abort();
  }
  ~Caller() { thread_.join(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  bool returned() const { return returned_; }
  Future<typename Request::Response> take() {
    if (!wait_until([&] { return returned(); })) throw std::runtime_error("run() never returned");
    return std::move(future_);
  }

 private:
  Future<typename Request::Response> future_;
  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> returned_ = false;
  std::thread thread_;
};

}  // namespace

// Fault queue.full (many calls): the queue is full, and run() is to wait.
// Then: it waits without a processor until there is room, in order; at most `queue_wait`, its own
// `timeout`, until it is called off, or the pool is shut down.
TEST_CASE("a thread that finds the queue full waits until there is room") {
  const LeakCheck leaks;
  const std::size_t limit = GENERATE(0u, 1u);
  const Gate gate;
  TestPool pool{waiting_pool(limit)};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<int>> waiting;
  for (std::size_t i = 0; i < limit; ++i) waiting.push_back(pool.run(Add{1, 1}));
  Caller first(pool, Add{1, 2});
  Caller second(pool, Add{2, 2});
  CHECK(pool.stats().queued == limit);
  CHECK_FALSE(first.returned());
  gate.open();
  CHECK(value_of(first.take()) == 3);
  CHECK(value_of(second.take()) == 4);
  value_of(std::move(running));
  CHECK(pool.stats().failed == 0);
}

// Fault queue.full (many calls)
TEST_CASE("many threads that find the queue full are all let in") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .queue_limit = 2, .on_full = OnFull::wait}};
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 200; ++i) calls.push_back(pool.run(Add{i, 1}));
      for (int i = 0; i < 200; ++i)
        right += value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + 1;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 1600);
  CHECK(pool.stats().completed == 1600);
}

// Fault queue.full (many calls)
TEST_CASE("a thread that waits for room gives up after queue_wait, its timeout, or a stop") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0, 50ms)};
  TestPool patient{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  auto also_running = patient.run(gate.call("two"));
  gate.runner("one");
  gate.runner("two");

  const Error full = error_of(pool.run(Add{1, 1}));
  INFO(full.what());
  CHECK(full.code() == errc::queue_full);
  CHECK(mentions(full, "no room within 50 ms (queue_wait)"));
  CHECK(error_of(patient.run(Add{1, 1}, {.timeout = 20ms})).code() == errc::deadline_exceeded);
  std::stop_source stop;
  Caller stopped(patient, Add{1, 1}, {.stop = stop.get_token()});
  CHECK_FALSE(stopped.returned());
  stop.request_stop();
  CHECK(error_of(stopped.take()).code() == errc::cancelled);
  gate.open();
  value_of(std::move(running));
  value_of(std::move(also_running));
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
  CHECK(value_of(patient.run(Add{1, 1})) == 2);
  CHECK(patient.stats().failed == 2);
}

// Fault queue.full (many calls)
TEST_CASE("a shutdown turns away the threads that wait for room") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  Caller first(pool, Add{1, 1});
  Caller second(pool, Add{1, 1});
  std::thread shutting([&] { pool.shutdown(); });
  CHECK(error_of(first.take()).code() == errc::shut_down);
  CHECK(error_of(second.take()).code() == errc::shut_down);
  gate.open();
  shutting.join();
  CHECK(value_of(std::move(running)) > 0);
}

// Fault queue.full (many calls)
TEST_CASE("a crash makes room for a thread that waits") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{waiting_pool(0)};
  auto running = pool.run(gate.call("one"));
  const pid_t victim = gate.runner("one");
  Caller waits(pool, Add{1, 1});
  ::kill(victim, SIGKILL);
  CHECK(error_of(std::move(running)).code() == errc::worker_crashed);
  CHECK(value_of(waits.take()) == 2);
}

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

// Fault queue.priority (many calls): a call of a higher priority comes when many wait, in the queue
// and at workers.
// Then: it is begun before all of them; those of one priority are begun as they came.
TEST_CASE("calls of a higher priority are begun before all that wait") {
  const LeakCheck leaks;
  const Gate gate;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool{{.workers = 1}};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<void>> calls;
  std::vector<std::string> expected;
  const auto add = [&](int priority, int i) {
    const std::string line = std::to_string(priority) + "." + std::to_string(i);
    calls.push_back(pool.run(Note{log, line}, {.priority = priority}));
    return line;
  };
  std::vector<std::string> low, usual, high;
  for (int i = 0; i < 300; ++i) usual.push_back(add(0, i));  // more than a worker is given ahead
  for (int i = 0; i < 3; ++i) {
    low.push_back(add(-1, i));
    high.push_back(add(7, i));
  }
  CHECK(pool.stats().queued == 306);
  for (const auto& lines : {high, usual, low})
    expected.insert(expected.end(), lines.begin(), lines.end());
  gate.open();
  for (auto& call : calls) value_of(std::move(call));
  value_of(std::move(running));
  CHECK(lines_of(log) == expected);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault queue.priority (many calls)
TEST_CASE("a call of a higher priority is begun by whichever worker is free first") {
  const LeakCheck leaks;
  const Gate first, second;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool{{.workers = 2}};
  auto blocked = pool.run(first.call("1"));
  auto freed = pool.run(second.call("2"));
  first.runner("1");
  second.runner("2");
  std::vector<Future<void>> low;
  for (int i = 0; i < 100; ++i) low.push_back(pool.run(Note{log, "low"}));
  auto high = pool.run(Note{log, "high"}, {.priority = 1});
  second.open();
  value_of(std::move(high));
  CHECK(lines_of(log).front() == "high");
  for (auto& call : low) value_of(std::move(call));
  first.open();
  value_of(std::move(blocked));
  value_of(std::move(freed));
}

// Fault queue.priority (many calls)
TEST_CASE("calls of many priorities from many threads are all answered, crashes included") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .queue_limit = 100'000}};
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 300; ++i) {
        calls.push_back(pool.run(Add{i, t}, {.priority = i % 5}));
        if (i % 100 == 50) static_cast<void>(pool.run(Die{}, {.priority = i % 3}));
      }
      for (int i = 0; i < 300; ++i)
        right += value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + t;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 1200);
  CHECK(wait_until([&] { return pool.stats().crashes == 12; }));
}

// Fault queue.key (many calls): calls have keys, and the worker of a key is busy, dies, or is
// replaced.
// Then: calls of one key go to one worker, in order, and wait for it while others go on; when it is
// gone they go to another.
TEST_CASE("calls of one key go to one worker, whatever else runs") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(1u, 3u);
  TestPool pool{{.workers = 3, .launch = on_threads(threads), .queue_limit = 100'000}};
  std::vector<std::pair<std::string, Future<std::pair<pid_t, std::uint64_t>>>> calls;
  std::vector<Future<int>> others;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "session " + std::to_string(i % 7);
    calls.emplace_back(key, pool.run(WhoAmI{}, {.priority = i % 100 == 99, .key = key}));
    others.push_back(pool.run(Add{i, 0}));
  }
  std::map<std::string, std::set<pid_t>> workers;
  for (auto& [key, call] : calls) workers[key].insert(value_of(std::move(call)).first);
  for (const auto& [key, pids] : workers) CHECK(pids.size() == 1);
  for (int i = 0; i < 1000; ++i)
    REQUIRE(value_of(std::move(others[static_cast<std::size_t>(i)])) == i);
  CHECK(pool.stats().queued == 0);
}

// Fault queue.key (many calls)
TEST_CASE("calls of a key wait for its worker, in order, and others go on") {
  const LeakCheck leaks;
  const Gate gate;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool{{.workers = 2, .queue_limit = 2000}};
  auto busy = pool.run(gate.call("one"), {.key = "a"});
  const pid_t home = gate.runner("one");
  std::vector<Future<void>> kept;
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    kept.push_back(pool.run(Note{log, expected.back()}, {.key = "a"}));
  }
  auto who = pool.run(WhoAmI{}, {.key = "a"});
  std::vector<Future<std::pair<pid_t, std::uint64_t>>> others;
  for (int i = 0; i < 600; ++i) others.push_back(pool.run(WhoAmI{}));
  for (auto& other : others) CHECK(value_of(std::move(other)).first != home);
  CHECK(lines_of(log).empty());
  CHECK(pool.stats().queued == 21);
  auto withdrawn = pool.run(Note{log, "never"}, {.key = "a"});
  withdrawn.cancel();
  CHECK(error_of(std::move(withdrawn)).code() == errc::cancelled);
  gate.open();
  CHECK(value_of(std::move(who)).first == home);
  for (auto& call : kept) value_of(std::move(call));
  CHECK(lines_of(log) == expected);
  CHECK(value_of(std::move(busy)) == home);
}

// Fault queue.key (many calls)
TEST_CASE("calls of a key go to another worker when theirs dies or is replaced") {
  const LeakCheck leaks;
  const Gate gate;
  TestPool pool{{.workers = 2}};
  auto busy = pool.run(gate.call("one"), {.key = "a"});
  const pid_t home = gate.runner("one");
  auto kept = pool.run(WhoAmI{}, {.key = "a"});
  auto also = pool.run(WhoAmI{}, {.key = "a"});
  ::kill(home, SIGKILL);
  CHECK(error_of(std::move(busy)).code() == errc::worker_crashed);
  const pid_t second = value_of(std::move(kept)).first;
  CHECK(second != home);
  CHECK(value_of(std::move(also)).first == second);
  CHECK(value_of(pool.run(WhoAmI{}, {.key = "a"})).first == second);
  pool.reload();
  const pid_t third = value_of(pool.run(WhoAmI{}, {.key = "a"})).first;
  CHECK(third != second);
  CHECK(value_of(pool.run(WhoAmI{}, {.key = "a"})).first == third);
}

// Fault queue.key (many calls)
TEST_CASE("calls with keys and without are all answered while workers crash and are replaced") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 3, .queue_limit = 100'000}};
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<Future<int>> calls;
      for (int i = 0; i < 300; ++i) {
        const std::string key = i % 3 == 0 ? "" : std::to_string(i % 7);
        calls.push_back(pool.run(Add{i, t}, {.priority = i % 2, .key = key}));
        if (i % 100 == 50) static_cast<void>(pool.run(Die{}, {.key = "poison"}));
      }
      for (int i = 0; i < 300; ++i)
        right += value_of(std::move(calls[static_cast<std::size_t>(i)])) == i + t;
    });
  pool.reload();
  for (auto& thread : threads) thread.join();
  CHECK(right == 1200);
  CHECK(pool.stats().queued == 0);
}

// Fault queue.quarantine (many calls): the calls of a key take `poison_limit` workers down.
// Then: those that wait and those that come fail with `request_quarantined` and the last crash, for
// 30 s or until `clear_quarantine`; other keys and calls go on.
TEST_CASE("a key whose calls took too many workers down is refused, and the others go on") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const Error first = error_of(pool.run(Die{}, {.key = "bad"}));
  CHECK(first.code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
  const Error second = error_of(pool.run(Die{}, {.key = "bad"}));
  CHECK(second.code() == errc::worker_crashed);

  auto refused = pool.run(Add{1, 1}, {.key = "bad"});
  CHECK(refused.ready());
  const Error error = error_of(std::move(refused));
  INFO(error.what());
  CHECK(error.code() == errc::request_quarantined);
  CHECK(mentions(error, "poison_limit"));
  CHECK(mentions(error, second.what()));
  REQUIRE(error.crash());
  CHECK(error.crash()->pid == second.crash()->pid);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "good"})) == 2);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);

  pool.clear_quarantine("never heard of");
  CHECK(error_of(pool.run(Add{1, 1}, {.key = "bad"})).code() == errc::request_quarantined);
  pool.clear_quarantine("bad");
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
  CHECK(pool.stats().crashes == 2);
}

// Fault queue.quarantine (many calls)
TEST_CASE("calls of a key that wait are refused with it, and its guilty call is not tried again") {
  const LeakCheck leaks;
  const bool must_wait = GENERATE(false, true);
  const Gate gate;
  const TempDir folder;
  PoolOptions options{.workers = 1, .max_attempts = 10};
  if (must_wait) {
    options.queue_limit = 2;
    options.on_full = OnFull::wait;
  }
  TestPool pool{options};
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  auto poison = pool.run(Poison{folder / "log"}, {.key = "bad"});
  auto other = pool.run(Add{1, 1});
  std::vector<std::unique_ptr<Caller<Add>>> bad;
  for (int i = 0; i < 3; ++i)
    bad.push_back(std::make_unique<Caller<Add>>(pool, Add{1, 1}, RunOptions{.key = "bad"}));
  gate.open();
  CHECK(error_of(std::move(poison)).code() == errc::worker_crashed);
  CHECK(pids_in(folder / "log").size() == 2);
  for (auto& call : bad) CHECK(error_of(call->take()).code() == errc::request_quarantined);
  CHECK(value_of(std::move(other)) == 2);
  value_of(std::move(running));
  CHECK(pool.stats().queued == 0);
  CHECK(pool.shutdown().calls_failed == 0);
}

// Fault queue.quarantine (many calls)
TEST_CASE("a pool without a limit refuses no key") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .poison_limit = 0}};
  for (int i = 0; i < 4; ++i)
    CHECK(error_of(pool.run(Die{}, {.key = "bad"})).code() == errc::worker_crashed);
  CHECK(value_of(pool.run(Add{1, 1}, {.key = "bad"})) == 2);
}
