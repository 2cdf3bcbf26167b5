// Calls by Asio's completion tokens: where and when their handlers run, and how they are called
// off.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include "faults/async.hpp"
#include "faults/service/steering_service.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

using SteeringPool = Pool<SteeringService>;
using asio::use_awaitable;

// A handler that has begun says so in a file.
class Begun {
 public:
  Heed heed(Heeding how) const { return {.how = how, .begun = folder_ / "it"}; }
  AnswerLate late() const { return {folder_ / "it", folder_ / "open"}; }
  void open() const { std::ofstream(folder_ / "open"); }
  pid_t await() const {
    REQUIRE(wait_until([&] { return std::filesystem::exists(folder_ / "it"); }));
    pid_t pid = 0;
    std::ifstream(folder_ / "it") >> pid;
    return pid;
  }

 private:
  TempDir folder_;
};

}  // namespace

TEST_CASE("a callback gets the answer, or the error and an empty answer") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  std::promise<std::pair<std::exception_ptr, int>> sum;
  pool.async_run(Add{1, 2}, [&](std::exception_ptr error, int answer) {
    sum.set_value({std::move(error), answer});
  });
  const auto [error, answer] = value_of(sum.get_future());
  CHECK_FALSE(error);
  CHECK(answer == 3);

  std::promise<std::string> text;
  pool.async_run(Answer{100}, {.timeout = 0ns}, [&](const std::exception_ptr& late, std::string t) {
    CHECK(code_of(late) == errc::deadline_exceeded);
    text.set_value(std::move(t));
  });
  CHECK(value_of(text.get_future()).empty());

  Seen nothing;
  pool.async_run(Nothing{}, nothing.handler());
  CHECK(nothing.once());
  CHECK_FALSE(nothing.error);
}

TEST_CASE("std::future, deferred and tuples are had by their tokens, also from a worker") {
  start_system_threads();
  const LeakCheck leaks;
  auto worker = TestWorker::start();
  CHECK(value_of(worker.async_run(Add{2, 3}, asio::use_future)) == 5);
  value_of(worker.async_run(Nothing{}, asio::use_future));
  auto number = std::make_unique<int>(4);
  CHECK(*value_of(worker.async_run(Double{std::move(number)}, asio::use_future)) == 8);
  auto later = worker.async_run(Add{3, 4}, {.timeout = 1h}, asio::deferred);
  CHECK(value_of(std::move(later)(asio::use_future)) == 7);
  std::promise<std::tuple<std::exception_ptr, int>> both;
  worker.async_run(Add{4, 5}, asio::as_tuple([&](std::tuple<std::exception_ptr, int> answer) {
                     both.set_value(std::move(answer));
                   }));
  const auto [error, sum] = value_of(both.get_future());
  CHECK_FALSE(error);
  CHECK(sum == 9);
  CHECK_THROWS_AS(value_of(worker.async_run(Die{}, asio::use_future)), Error);
}

TEST_CASE("coroutines await calls, several at once, and the first of several") {
  const LeakCheck leaks;
  const Begun begun;
  TestPool pool{{.workers = 2}};
  SteeringPool steering{{.workers = 1, .kill_grace = 1h}};
  asio::io_context io;
  using namespace asio::experimental::awaitable_operators;
  bool done = false;
  const auto work = [&]() -> asio::awaitable<void> {
    const int alone = co_await pool.async_run(Add{1, 2}, use_awaitable);
    CHECK(alone == 3);
    co_await pool.async_run(Nothing{}, use_awaitable);
    // GCC 12 destroys an aggregate twice that is made in an expression with co_await.
    const Echo hello{"hello"};
    const auto [sum, text] =
        co_await (pool.async_run(Add{1, 3}, use_awaitable) && pool.async_run(hello, use_awaitable));
    CHECK(sum == 4);
    CHECK(text == "hello");
    const Heed waits = begun.heed(Heeding::waits);
    const auto first = co_await (steering.async_run(waits, use_awaitable) ||
                                 pool.async_run(Add{1, 4}, use_awaitable));
    CHECK(std::get<1>(first) == 5);
    const auto [error] = co_await pool.async_run(Die{}, asio::as_tuple(use_awaitable));
    CHECK(code_of(error) == errc::worker_crashed);
    done = true;
  };
  asio::co_spawn(io, work, asio::detached);
  run(io);
  CHECK(done);
  CHECK(wait_until([&] { return steering.stats().in_flight == 0; }));
  CHECK(steering.stats().crashes == 0);
}

TEST_CASE("a parallel group of calls calls the others off when the first is there") {
  const LeakCheck leaks;
  const Begun begun;
  SteeringPool pool{{.workers = 2, .kill_grace = 1h}};
  asio::io_context io;
  bool done = false;
  asio::experimental::make_parallel_group(
      pool.async_run(begun.heed(Heeding::polls), asio::deferred),
      pool.async_run(AskDeadline{}, asio::deferred))
      .async_wait(asio::experimental::wait_for_one_success(),
                  asio::bind_executor(
                      io, [&](std::array<std::size_t, 2> order, const std::exception_ptr& slow,
                              const std::string&, const std::exception_ptr& fast, double) {
                        CHECK(order[0] == 1);
                        CHECK_FALSE(fast);
                        CHECK(code_of(slow) == errc::cancelled);
                        done = true;
                      }));
  run(io);
  CHECK(done);
}

TEST_CASE("handlers run on their own executor, else on the pool's, else on the library's thread") {
  start_system_threads();
  const LeakCheck leaks;
  asio::io_context io;
  asio::thread_pool threads(2);
  TestPool pool{{.workers = 1, .executor = io.get_executor()}};
  TestPool bare{{.workers = 1}};
  auto worker = TestWorker::start({.executor = io.get_executor()});
  Seen here, of_worker, in_strand, on_threads, bound, on_reactor;
  pool.async_run(Add{}, here.handler());
  worker.async_run(Add{}, of_worker.handler());
  bare.async_run(Add{}, asio::bind_executor(asio::make_strand(io), in_strand.handler()));
  pool.async_run(Add{}, asio::bind_executor(threads, on_threads.handler()));
  pool.async_run(Add{}, asio::bind_executor(asio::system_executor(), bound.handler()));
  bare.async_run(Add{}, on_reactor.handler());
  for (const Seen* elsewhere : {&on_threads, &bound, &on_reactor}) {
    CHECK(elsewhere->once());
    CHECK(elsewhere->thread != std::this_thread::get_id());
  }
  run(io);
  for (const Seen* on_io : {&here, &of_worker, &in_strand}) {
    CHECK(on_io->times == 1);
    CHECK(on_io->thread == std::this_thread::get_id());
  }
  threads.join();
}

TEST_CASE("a handler never runs inside the call that makes its call, and io_context waits for it") {
  const LeakCheck leaks;
  asio::io_context io;
  TestPool pool{{.workers = 1, .executor = io.get_executor()}};
  TestPool moved = std::move(pool);
  Seen past, no_pool, answered;
  asio::post(io, [&] {
    moved.async_run(Add{}, {.timeout = 0ns}, past.handler());
    pool.async_run(Add{}, asio::bind_executor(io, no_pool.handler()));
    moved.async_run(Add{}, answered.handler());
    CHECK(past.times + no_pool.times + answered.times == 0);
  });
  run(io);
  CHECK(past.error == errc::deadline_exceeded);
  CHECK(no_pool.error == errc::shut_down);
  CHECK(answered.times == 1);
}

TEST_CASE("the memory of an operation is its handler's, and is free when that runs") {
  const LeakCheck leaks;
  Counting memory;
  asio::io_context io;
  TestPool pool{{.workers = 1}};
  const std::pmr::polymorphic_allocator<std::byte> allocator(&memory);
  const Gate gate;
  int out = -1;
  pool.async_run(gate.call("held"),
                 asio::bind_allocator(allocator, asio::bind_executor(io, [&](const auto&...) {
                                        out = memory.out;
                                      })));
  CHECK(memory.out == 1);
  gate.open();
  run(io);
  CHECK(out == 0);
  CHECK(memory.out == 0);
  CHECK(memory.all == 2);  // and what it was posted in
}

// Fault stop.token (one call): an asynchronous call is called off by its cancellation slot, before
// it begins or while it runs.
// Then: by `terminal` it completes at once, by `partial` when its handler has ended, by `total`
// only if it has not begun; once in any case.
TEST_CASE("what a cancellation slot is told is what its caller agrees to") {
  const LeakCheck leaks;
  using Type = asio::cancellation_type;
  const Type type = GENERATE(Type::terminal, Type::partial, Type::total, Type::all);
  const bool begins = GENERATE(true, false);
  INFO("type " << unsigned(type) << (begins ? ", begun" : ", waits"));
  const Begun begun, other;
  SteeringPool pool{{.workers = 1, .kill_grace = 1h}};
  Seen blocking, seen;
  asio::cancellation_signal stop;
  if (!begins) {
    pool.async_run(other.late(), blocking.handler());
    other.await();
  }
  pool.async_run(begun.late(), asio::bind_cancellation_slot(stop.slot(), seen.handler()));
  if (begins) begun.await();
  stop.emit(type);
  const bool at_once = !begins || type == Type::terminal || type == Type::all;
  if (at_once) {
    CHECK(seen.once());
  } else {
    CHECK(seen.times == 0);
  }
  begun.open();
  other.open();
  CHECK(seen.once());
  if (begins && type == Type::total)
    CHECK_FALSE(seen.error);
  else
    CHECK(seen.error == errc::cancelled);
  stop.emit(type);  // nothing is left to be called off
  CHECK(wait_until([&] { return pool.stats().in_flight == 0; }));
  CHECK(seen.times == 1);
  CHECK(pool.stats().crashes == 0);
}
