// Asynchronous calls whose pool, worker or execution context ends before they do.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <memory>

#include "faults/async.hpp"
#include "faults/loads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;
using asio::use_awaitable;

// Fault end.async (one call, many calls): a pool is dropped, or shut down, whose asynchronous calls
// are open.
// Then: each handler runs once, with `shut_down`, even when the pool is gone by then.
TEST_CASE("handlers run when their pool is gone") {
  const LeakCheck leaks;
  const Gate gate;
  const std::size_t count = GENERATE(std::size_t{1}, std::size_t{500});
  std::vector<Seen> seen(count), posted(count);
  asio::io_context io;
  {
    TestPool pool{{.workers = 2}};
    for (std::size_t i = 0; i < count; ++i) {
      pool.async_run(gate.call("a" + std::to_string(i)), seen[i].handler());
      pool.async_run(gate.call("b" + std::to_string(i)),
                     asio::bind_executor(io, posted[i].handler()));
    }
    if (count > 1) CHECK(pool.shutdown(0ms).calls_failed == 2 * count);
  }
  run(io);
  for (const auto* handlers : {&seen, &posted})
    for (const Seen& each : *handlers) {
      CHECK(each.once());
      CHECK(each.error == errc::shut_down);
    }
}

TEST_CASE("a handler may drop the pool that it is called by") {
  const LeakCheck leaks;
  const bool by_crash = GENERATE(false, true);
  auto pool = std::make_unique<TestPool>(PoolOptions{.workers = 1});
  Seen seen;
  const auto drop = [&](const std::exception_ptr& error, auto&&...) {
    pool.reset();
    seen.handler()(error);
  };
  if (by_crash)
    pool->async_run(Die{}, drop);
  else
    pool->async_run(Add{}, drop);
  CHECK(seen.once());
}

// Fault value.callback (idle, one call, many calls): a function that is told of an answer makes
// more calls, or drops a pool whose calls run. Then: they are answered, and that pool ends; other
// calls go on.
TEST_CASE("a handler may make calls, and drop another pool, whatever its own has to do") {
  const LeakCheck leaks;
  const Load load = GENERATE(from_range(all_loads));
  INFO(name(load));
  const Gate gate;
  auto other = std::make_unique<TestPool>(PoolOptions{.workers = 1});
  auto running = other->run(gate.call("running"));
  gate.runner("running");
  TestPool pool{{.workers = Traffic::workers}};
  Traffic traffic(pool, load);
  Seen more, dropped;
  pool.async_run(
      Add{}, [&](const std::exception_ptr&, int) { pool.async_run(Echo{"more"}, more.handler()); });
  pool.async_run(Add{}, [&](const std::exception_ptr& error, int) {
    other.reset();
    dropped.handler()(error);
  });
  if (load == Load::many_calls) traffic.let_go();
  CHECK(more.once());
  CHECK_FALSE(more.error);
  CHECK(dropped.once());
  CHECK(error_of(std::move(running)).code() == errc::shut_down);
  CHECK(traffic.settle({}) == Complaints{});
}

// Fault end.context (one call, many calls): an execution context is stopped, or ends, before the
// calls of its handlers do.
// Then: stopped, it has them for when it goes on; at its end they are destroyed without having run,
// as Asio's own are. The calls run.
TEST_CASE("a handler goes with its execution context, and its call runs") {
  const LeakCheck leaks;
  const Gate gate;
  const TempDir folder;
  TestPool pool{{.workers = 1}};
  const auto alive = std::make_shared<int>();
  Seen seen;
  {
    asio::io_context io;
    const auto held = [alive, told = seen.handler()](auto&&... what) { told(what...); };
    pool.async_run(gate.call("it"), asio::bind_executor(io, held));
    for (int i = 0; i < 300; ++i)
      pool.async_run(Note{folder / "log", "run"}, asio::bind_executor(asio::make_strand(io), held));
    asio::co_spawn(
        io,
        [&, alive]() -> asio::awaitable<void> {
          co_await pool.async_run(Add{}, use_awaitable);
          FAIL("its context has ended");
        },
        asio::detached);
    io.poll();
    gate.runner("it");
    CHECK(alive.use_count() > 300);
  }
  CHECK(alive.use_count() == 1);
  gate.open();
  CHECK(wait_until([&] { return pool.stats().completed == 302; }));
  CHECK(seen.times == 0);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);

  asio::io_context stopped;
  pool.async_run(Add{}, asio::bind_executor(stopped, seen.handler()));
  stopped.stop();
  stopped.run();
  CHECK(wait_until([&] { return pool.stats().completed == 304; }));
  CHECK(seen.times == 0);
  run(stopped);
  CHECK(seen.times == 1);
}

TEST_CASE("an execution context may end while its calls are answered") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  const auto alive = std::make_shared<int>();
  for (int round = 0; round < 300; ++round) {
    asio::io_context io;
    for (int i = 0; i < round % 20; ++i)
      pool.async_run(Add{}, asio::bind_executor(io, [alive](const auto&...) {}));
    if (round % 3 == 0) io.poll();
  }
  CHECK(alive.use_count() == 1);
}

// Fault crash.async (many calls): a worker crashes under coroutines.
// Then: each gets its answer, or its error, once.
TEST_CASE("thousands of calls of coroutines complete once, whatever crashes") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .queue_limit = 10'000}};
  asio::thread_pool threads(2);
  std::atomic<int> answered = 0, crashed = 0, wrong = 0;
  const auto one = [&](int i) -> asio::awaitable<void> {
    if (i % 500 == 250) {
      const auto [error] = co_await pool.async_run(Die{}, asio::as_tuple(use_awaitable));
      ++(code_of(error) == errc::worker_crashed ? crashed : wrong);
    } else {
      const auto [error, sum] = co_await pool.async_run(Add{i, i}, asio::as_tuple(use_awaitable));
      ++(!error && sum == 2 * i ? answered : wrong);
    }
  };
  for (int i = 0; i < 5000; ++i)
    asio::co_spawn(
        threads, [&one, i] { return one(i); }, asio::detached);
  CHECK(wait_until([&] { return answered + crashed + wrong == 5000; }));
  threads.join();
  CHECK(crashed == 10);
  CHECK(wrong == 0);
}
