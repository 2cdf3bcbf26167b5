// Calls by completion tokens beside the same calls by futures, in turn, so that what disturbs one
// disturbs the other.
#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <future>
#include <utility>

#include "allocations.hpp"
#include "rows.hpp"
#include "service.hpp"

namespace bulkhead::bench {
namespace {

namespace asio = boost::asio;

// As many callers as calls are open: each makes its next call when it has its answer.
class Callbacks {
 public:
  Callbacks(Worker<Benched>& worker, unsigned calls) : worker_(worker), left_(calls) {}
  void begin() {
    for (unsigned i = 0; i < open_calls; ++i) call();
  }
  // When the last call of all has been answered.
  std::future<void> end() { return end_.get_future(); }

 private:
  void call() {
    if (left_ == 0) {
      if (--open_ == 0) end_.set_value();
      return;
    }
    --left_;
    worker_.async_run(Echo{}, [this](std::exception_ptr error, Payload) {
      if (error) std::rethrow_exception(std::move(error));
      call();
    });
  }

  Worker<Benched>& worker_;
  unsigned left_, open_ = open_calls;
  std::promise<void> end_;
};

asio::awaitable<void> call_again_and_again(Worker<Benched>& worker, unsigned& left) {
  while (left > 0) {
    --left;
    co_await worker.async_run(Echo{}, asio::use_awaitable);
  }
}

using Round = void (*)(Worker<Benched>&, asio::io_context&, unsigned calls);

void by_callbacks(Worker<Benched>& worker, asio::io_context& io, unsigned calls) {
  Callbacks callbacks(worker, calls);
  callbacks.begin();
  io.run();
}

// By a worker without an executor: its handlers run where its answers are received.
void by_own_callbacks(Worker<Benched>& worker, asio::io_context&, unsigned calls) {
  Callbacks callbacks(worker, calls);
  worker.async_run(Echo{}, [&](std::exception_ptr, Payload) { callbacks.begin(); });
  callbacks.end().wait();
}

void by_coroutines(Worker<Benched>& worker, asio::io_context& io, unsigned calls) {
  for (unsigned i = 0; i < open_calls; ++i)
    asio::co_spawn(io, call_again_and_again(worker, calls), asio::detached);
  io.run();
}

void by_futures(Worker<Benched>& worker, asio::io_context&, unsigned calls) {
  std::deque<Future<Payload>> answers;
  for (unsigned i = 0; i < calls; ++i) {
    if (answers.size() == open_calls) {
      answers.front().get();
      answers.pop_front();
    }
    answers.push_back(worker.run(Echo{}));
  }
  for (auto& answer : answers) answer.get();
}

// What the tokens make by themselves: the same handlers, posted instead of called back.
void only_callbacks(Worker<Benched>&, asio::io_context& io, unsigned calls) {
  for (unsigned i = 0; i < calls; ++i) {
    asio::post(io, [] {});
    io.restart();
    io.run();
  }
}

void only_coroutines(Worker<Benched>&, asio::io_context& io, unsigned calls) {
  const auto post = [&]() -> asio::awaitable<void> {
    for (unsigned i = 0; i < calls; ++i) co_await asio::post(io, asio::use_awaitable);
  };
  asio::co_spawn(io, post, asio::detached);
  io.run();
}

double allocations_per_call(Round round, Worker<Benched>& worker, asio::io_context& io) {
  constexpr unsigned calls = 50'000;
  const auto once = [&] {
    io.restart();
    round(worker, io, calls);
  };
  once();
  return static_cast<double>(allocations_in(once)) / calls;
}

double calls_per_s(Round round, Worker<Benched>& worker, asio::io_context& io, unsigned calls) {
  io.restart();
  const auto start = Clock::now();
  round(worker, io, calls);
  return calls / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void measure_async(Figures& figures, Effort effort) {
  const unsigned calls = effort.times(200'000, 20'000);
  asio::io_context io(1);
  auto worker = Worker<Benched>::start({.executor = io.get_executor()});
  auto plain = Worker<Benched>::start();
  double futures = 0, callbacks = 0, own_callbacks = 0, coroutines = 0;
  for (unsigned i = 0; i < effort.times(10, 3); ++i) {
    futures = std::max(futures, calls_per_s(by_futures, worker, io, calls));
    callbacks = std::max(callbacks, calls_per_s(by_callbacks, worker, io, calls));
    own_callbacks = std::max(own_callbacks, calls_per_s(by_own_callbacks, plain, io, calls));
    coroutines = std::max(coroutines, calls_per_s(by_coroutines, worker, io, calls));
  }
  figures.set_beside("throughput_callbacks_per_s", callbacks, futures);
  figures.set_beside("throughput_own_callbacks_per_s", own_callbacks, futures);
  figures.set_beside("throughput_coroutines_per_s", coroutines, futures);
  figures.set_beside("allocations_callback", allocations_per_call(by_callbacks, worker, io),
                     allocations_per_call(only_callbacks, worker, io));
  figures.set_beside("allocations_coroutine", allocations_per_call(by_coroutines, worker, io),
                     allocations_per_call(only_coroutines, worker, io));
}

}  // namespace bulkhead::bench
