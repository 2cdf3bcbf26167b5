// Starts and shutdowns by Asio's completion tokens: what becomes of them, whatever fails or ends
// meanwhile.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "faults/async.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;
using asio::use_awaitable;

namespace {

// What the handler of a start or of a shutdown was given.
template <class Value>
struct Got {
  std::atomic<int> times = 0;
  std::exception_ptr error = {};
  Value value = {};
  std::thread::id thread = {};

  auto handler() {
    return [this](std::exception_ptr why, Value given) {
      error = std::move(why);
      value = std::move(given);
      thread = std::this_thread::get_id();
      ++times;
    };
  }
  bool once() const {
    return wait_until([this] { return times > 0; }) && times == 1;
  }
  std::optional<errc> code() const { return code_of(error); }
};
using GotWorker = Got<TestWorker>;
using GotReport = Got<ShutdownReport>;

// Workers that hang as they start, until they are let go.
class Hanging {
 public:
  explicit Hanging(const char* variable = "TEST_WARM_UP") : variable_(variable) {}
  WorkerOptions options() const {
    return {.launch = Launch::self().env(variable_, "wait=" + (folder_ / "go").string())};
  }
  bool begun() const {
    return wait_until([&] { return std::filesystem::exists(folder_ / "go.awaited"); });
  }
  void let_go() const { std::ofstream(folder_ / "go"); }

 private:
  const char* variable_;
  TempDir folder_;
};

}  // namespace

TEST_CASE("a worker is started and shut down by callbacks, on the library's thread or their own") {
  const LeakCheck leaks;
  const bool bound = GENERATE(false, true);
  asio::io_context io;
  const WorkerOptions options{.executor = bound ? asio::any_io_executor(io.get_executor())
                                                : asio::any_io_executor()};
  GotWorker started;
  TestWorker::async_start(options, started.handler());
  CHECK(started.times == 0);
  if (bound) run(io);
  REQUIRE(started.once());
  CHECK_FALSE(started.error);
  CHECK((started.thread == std::this_thread::get_id()) == bound);
  CHECK(started.value.alive());
  CHECK(value_of(started.value.run(Add{1, 2})) == 3);

  GotReport ended;
  started.value.async_shutdown(30s, ended.handler());
  if (bound) run(io);
  REQUIRE(ended.once());
  CHECK_FALSE(ended.error);
  CHECK(ended.value.workers_left == 1);
  CHECK((ended.thread == std::this_thread::get_id()) == bound);
  CHECK_FALSE(started.value.alive());
}

TEST_CASE("std::future and deferred start and shut down a worker") {
  start_system_threads();
  const LeakCheck leaks;
  auto worker = value_of(TestWorker::async_start({}, asio::use_future));
  CHECK(value_of(worker.async_run(Add{2, 3}, asio::use_future)) == 5);
  CHECK(value_of(worker.async_shutdown(30s, asio::use_future)).workers_left == 1);

  auto later = TestWorker::async_start({}, asio::deferred);
  CHECK(value_of(std::move(later)(asio::use_future)).alive());
}

TEST_CASE("a coroutine starts a worker, calls it and shuts it down, and its thread goes on") {
  const LeakCheck leaks;
  const Hanging hanging;
  asio::io_context io;
  bool done = false, meanwhile = false;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const WorkerOptions options = hanging.options();
        auto worker = co_await TestWorker::async_start(options, use_awaitable);
        CHECK(meanwhile);
        const int sum = co_await worker.async_run(Add{1, 2}, use_awaitable);
        CHECK(sum == 3);
        const auto report = co_await worker.async_shutdown(30s, use_awaitable);
        CHECK(report.workers_left == 1);
        done = true;
      },
      asio::detached);
  asio::post(io, [&] {
    CHECK(hanging.begun());
    meanwhile = true;
    hanging.let_go();
  });
  run(io);
  CHECK(done);
}

// Fault start.async (one call): an asynchronous start gets a program that is not there, dies or
// hangs, or options that make no sense.
// Then: the handler is told what `start` throws, once, when nothing is left of it.
TEST_CASE("an asynchronous start that fails says why, as start does") {
  start_system_threads();
  const LeakCheck leaks;
  const auto code = [](const WorkerOptions& options) {
    GotWorker started;
    TestWorker::async_start(options, started.handler());
    CHECK(started.once());
    CHECK_FALSE(started.value.alive());
    return started.code();
  };
  CHECK(code({.launch = Launch::executable("/no/such/program")}) == errc::start_failed);
  CHECK(code({.launch = Launch::self().env("TEST_BEFORE", "die")}) == errc::start_failed);
  CHECK(code({.launch = Launch::self().env("TEST_WARM_UP", "throw")}) == errc::start_failed);
  CHECK(code({.launch = Launch::self().env("TEST_PRELOAD", "hang"), .connect_timeout = 200ms}) ==
        errc::connect_timeout);
  CHECK(code({.launch = Launch::self().env("TEST_WARM_UP", "hang"), .connect_timeout = 200ms}) ==
        errc::connect_timeout);
  CHECK_THROWS_AS(value_of(TestWorker::async_start({.kill_grace = -1ms}, asio::use_future)),
                  std::invalid_argument);
}

TEST_CASE("many workers are started and shut down at once, and no thread waits for any") {
  const LeakCheck leaks;
  constexpr int count = 24;
  const Hanging hanging;
  asio::io_context io;
  int alive = 0, left = 0, failed = 0;
  const auto one = [&](bool good) -> asio::awaitable<void> {
    const WorkerOptions options =
        good ? hanging.options() : WorkerOptions{.launch = Launch::executable("/no/such/program")};
    auto [error, worker] = co_await TestWorker::async_start(options, asio::as_tuple(use_awaitable));
    if (error) {
      ++failed;
      co_return;
    }
    ++alive;
    const auto report = co_await worker.async_shutdown(30s, use_awaitable);
    left += static_cast<int>(report.workers_left);
  };
  for (int i = 0; i < count; ++i) asio::co_spawn(io, one(i % 4 != 3), asio::detached);
  asio::post(io, [&] {
    CHECK(hanging.begun());
    hanging.let_go();
  });
  run(io);
  CHECK(alive == count * 3 / 4);
  CHECK(left == alive);
  CHECK(failed == count / 4);
}

// Fault start.called-off (one call): an asynchronous start is cancelled, while the program or its
// worker hangs, or just as it is ready.
// Then: it completes with `cancelled` when nothing is left of it, or with the worker; once.
TEST_CASE("an asynchronous start that is cancelled is ended") {
  const LeakCheck leaks;
  const Hanging hanging(GENERATE("TEST_BEFORE", "TEST_PRELOAD", "TEST_WARM_UP"));
  const bool at_once = GENERATE(false, true);
  asio::cancellation_signal stop;
  GotWorker started;
  TestWorker::async_start(hanging.options(),
                          asio::bind_cancellation_slot(stop.slot(), started.handler()));
  if (!at_once) {
    CHECK(hanging.begun());
    CHECK(started.times == 0);
  }
  stop.emit(asio::cancellation_type::terminal);
  CHECK(started.once());
  CHECK(started.code() == errc::cancelled);
  CHECK_FALSE(started.value.alive());
  stop.emit(asio::cancellation_type::terminal);  // nothing is left to be called off
}

// Fault start.called-off (many calls)
TEST_CASE("a start that is cancelled as its worker gets ready is one of both") {
  const LeakCheck leaks;
  constexpr std::size_t count = 12;
  std::vector<asio::cancellation_signal> stops(count);
  std::vector<GotWorker> started(count);
  for (std::size_t i = 0; i < count; ++i)
    TestWorker::async_start({},
                            asio::bind_cancellation_slot(stops[i].slot(), started[i].handler()));
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) CHECK(started[i - 1].once());
    stops[i].emit(asio::cancellation_type::terminal);
  }
  for (GotWorker& each : started) {
    REQUIRE(each.once());
    if (each.error)
      CHECK(each.code() == errc::cancelled);
    else
      CHECK(value_of(each.value.run(Add{1, 2})) == 3);
  }
}

// Fault end.context (one call)
TEST_CASE("a start goes with its execution context, and its process with it") {
  const LeakCheck leaks;
  const Hanging hanging(GENERATE("TEST_PRELOAD", "TEST_WARM_UP"));
  const auto alive = std::make_shared<int>();
  {
    asio::io_context io;
    TestWorker::async_start(hanging.options(),
                            asio::bind_executor(io, [alive](const auto&, const auto&) {
                              FAIL("its context has ended");
                            }));
    asio::co_spawn(
        io,
        [&, alive]() -> asio::awaitable<void> {
          co_await TestWorker::async_start(hanging.options(), use_awaitable);
          FAIL("its context has ended");
        },
        asio::detached);
    io.poll();
    CHECK(hanging.begun());
    CHECK(alive.use_count() == 3);
  }
  CHECK(alive.use_count() == 1);
}

// Fault end.context (one call)
TEST_CASE("a shutdown goes on without the handler that went with its execution context") {
  const LeakCheck leaks;
  const Gate gate;
  const auto alive = std::make_shared<int>();
  TestPool pool{{.workers = 1}};
  auto running = pool.run(gate.call("it"));
  gate.runner("it");
  {
    asio::io_context io;
    pool.async_shutdown(30s, asio::bind_executor(io, [alive](const auto&, const auto&) {}));
    CHECK(alive.use_count() == 2);
  }
  CHECK(alive.use_count() == 1);
  gate.open();
  CHECK(value_of(std::move(running)) > 0);
  CHECK(pool.shutdown().workers_left == 1);
}

TEST_CASE("the memory of a start and of a shutdown is their handlers', and io_context waits") {
  const LeakCheck leaks;
  Counting memory;
  asio::io_context io;
  const std::pmr::polymorphic_allocator<std::byte> allocator(&memory);
  int out = 0, runs = 0;
  const auto handler = [&](const std::exception_ptr& error, const auto&) {
    CHECK_FALSE(error);
    out += memory.out;
    ++runs;
  };
  TestWorker::async_start({}, asio::bind_allocator(allocator, asio::bind_executor(io, handler)));
  CHECK(memory.out == 1);
  run(io);
  CHECK(runs == 1);
  TestPool pool{{.workers = 1}};
  pool.async_shutdown(30s, asio::bind_allocator(allocator, asio::bind_executor(io, handler)));
  CHECK(memory.out == 1);
  run(io);
  CHECK(runs == 2);
  CHECK(out == 0);
  CHECK(memory.out == 0);
}

// Fault end.async-shutdown (idle, many calls): an asynchronous shutdown with open calls, whose
// grace suffices or runs out, or whose pool is dropped. Then: its handler is told once, with what
// shutdown() returns, when all is gone.
TEST_CASE("an asynchronous shutdown waits for open calls, as long as its grace lasts") {
  const LeakCheck leaks;
  const Gate gate;
  const bool in_time = GENERATE(true, false);
  TestPool pool{{.workers = 2}};
  std::vector<Future<pid_t>> running;
  for (const char* name : {"1", "2"}) running.push_back(pool.run(gate.call(name)));
  gate.runner("1");
  gate.runner("2");
  auto waiting = pool.run(Add{1, 2});
  GotReport ended, again;
  pool.async_shutdown(in_time ? 1h : 0ms, ended.handler());
  CHECK(ended.times == 0);
  pool.async_shutdown(1h, again.handler());
  if (in_time) {
    CHECK(wait_until([&] {
      auto late = pool.run(Add{});
      return late.ready() && error_of(std::move(late)).code() == errc::shut_down;
    }));
    gate.open();
    CHECK(value_of(std::move(waiting)) == 3);
    for (auto& call : running) CHECK(value_of(std::move(call)) > 0);
  } else {
    CHECK(error_of(std::move(waiting)).code() == errc::shut_down);
    for (auto& call : running) CHECK(error_of(std::move(call)).code() == errc::shut_down);
  }
  for (const GotReport* each : {&ended, &again}) {
    REQUIRE(each->once());
    CHECK_FALSE(each->error);
    CHECK(each->value.workers_left + each->value.workers_killed == 2);
    CHECK((each->value.workers_killed == 2) == !in_time);
    CHECK((each->value.calls_failed >= 3) == !in_time);
  }
}

// Fault end.async-shutdown (many calls)
TEST_CASE("a pool or worker may be dropped while it is shut down, and the handler is told") {
  const LeakCheck leaks;
  const Gate gate;
  GotReport of_pool, of_worker, nothing, at_the_end;
  {
    TestPool pool{{.workers = 2}};
    auto worker = TestWorker::start();
    auto one = pool.run(gate.call("1"));
    auto other = worker.run(gate.call("2"));
    gate.runner("1");
    gate.runner("2");
    pool.async_shutdown(1h, of_pool.handler());
    worker.async_shutdown(1h, of_worker.handler());
  }
  REQUIRE(of_pool.once());
  REQUIRE(of_worker.once());
  CHECK(of_pool.value.workers_killed == 2);
  CHECK(of_worker.value.workers_killed == 1);

  TestWorker().async_shutdown(1h, nothing.handler());
  CHECK(nothing.once());
  CHECK_FALSE(nothing.error);
  CHECK(nothing.value.workers_left == 0);

  TestPool ended{{.workers = 1}};
  ended.shutdown();
  ended.async_shutdown(1h, at_the_end.handler());
  CHECK(at_the_end.once());
  CHECK(at_the_end.value.workers_left == 1);
}

TEST_CASE("a handler may drop the worker that was started, and the pool that was shut down") {
  const LeakCheck leaks;
  std::atomic<int> times = 0;
  TestWorker::async_start({}, [&](const std::exception_ptr& error, TestWorker worker) {
    CHECK_FALSE(error);
    worker = {};
    ++times;
  });
  auto pool = std::make_unique<TestPool>(PoolOptions{.workers = 1});
  pool->async_shutdown(30s, [&](const std::exception_ptr&, const ShutdownReport& report) {
    CHECK(report.workers_left == 1);
    pool.reset();
    ++times;
  });
  CHECK(wait_until([&] { return times == 2; }));
}
