#include <unistd.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "faults/service/coroutine_service.hpp"
#include "faults/service/handlers.hpp"

namespace bulkhead::test {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;

awaitable<void> nap() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(use_awaitable);
}

awaitable<pid_t> meet(Meet request) {
  static std::atomic<unsigned> there = 0;
  ++there;
  while (there < request.count) co_await nap();
  co_return ::getpid();
}

awaitable<std::string> co_block(const CoBlock& request) {
  put(request.begun, std::to_string(::getpid()));
  while (!std::filesystem::exists(request.until)) co_await nap();
  co_return request.text;
}

awaitable<std::string> co_block_again(const CoBlockAgain& request) { return co_block(request); }

awaitable<int> co_add(CoAdd request) {
  if (request.waits) co_await nap();
  co_return request.a + request.b;
}

awaitable<void> co_nothing(CoNothing&&) { co_await nap(); }

awaitable<int> co_throw_it(CoThrow request, Context& context) {
  if (request.when == Moment::later) co_await nap();
  throw std::runtime_error("thrown in call " + std::to_string(context.request_id()));
}

awaitable<void> co_die(CoDie request) {
  if (request.when == Moment::later) co_await nap();
  std::abort();
}

awaitable<std::string> heed(const CoHeed& request, Context& context) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
  put(request.begun, std::to_string(::getpid()));
  std::string heard;
  if (request.how == CoHeeding::awaits) {
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(use_awaitable, error));
    heard = error == asio::error::operation_aborted ? "aborted" : "not aborted";
  } else {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto token = context.stop_token();
    const auto told = [&] {
      if (request.how == CoHeeding::token) return token.stop_requested();
      return request.how == CoHeeding::polls && context.stop_requested();
    };
    while (!told()) co_await nap();
    heard = "told";
  }
  put(request.heard, heard);
  co_return heard;
}

awaitable<double> ask_deadline(CoAskDeadline, Context& context) {
  co_await nap();
  if (!context.deadline()) co_return -1;
  const auto left = *context.deadline() - std::chrono::steady_clock::now();
  co_return std::chrono::duration<double, std::milli>(left).count();
}

awaitable<int> co_count(CoCount request, Context& context) {
  for (int i = 1; i <= request.upto; ++i) {
    context.progress(i);
    if (i % 10 == 0) co_await nap();
  }
  co_return request.upto;
}

awaitable<std::pair<Bytes, std::string>> co_bytes(const CoBytes& request, Context& context) {
  co_await nap();
  MutableBytes changed = context.make_bytes(request.bytes.size());
  for (std::size_t i = 0; i < changed.size(); ++i)
    changed.data()[i] = std::byte(std::to_integer<unsigned>(request.bytes.data()[i]) + 1);
  co_await nap();
  co_return std::pair<Bytes, std::string>(Bytes(std::move(changed)), request.text);
}

awaitable<std::string> through_socket(ThroughSocket request) {
  using Socket = asio::local::stream_protocol::socket;
  const auto executor = co_await asio::this_coro::executor;
  Socket one(executor), other(executor);
  asio::local::connect_pair(one, other);
  co_await asio::async_write(one, asio::buffer(request.text), use_awaitable);
  std::string text(request.text.size(), '\0');
  co_await asio::async_read(other, asio::buffer(text), use_awaitable);
  co_return text;
}

pid_t keep_thread_until_another_does() {
  static std::atomic<unsigned> there = 0;
  ++there;
  while (there < 2) std::this_thread::yield();
  return ::getpid();
}
pid_t keep_thread(KeepThread) { return keep_thread_until_another_does(); }
awaitable<pid_t> co_keep_thread(CoKeepThread) { co_return keep_thread_until_another_does(); }

pid_t plain_block(const PlainBlock& request) {
  put(request.begun, std::to_string(::getpid()));
  wait_for(request.until);
  return ::getpid();
}

int plain_add(PlainAdd request) { return request.a + request.b; }

constexpr auto handlers = std::make_tuple(
    meet, co_block, co_block_again, co_add, co_nothing, co_throw_it, co_die, heed, ask_deadline,
    co_count, co_bytes, through_socket, keep_thread, co_keep_thread, plain_add, plain_block);

}  // namespace

void serve_coroutines_if_worker() {
  const char* const on_exit = std::getenv("TEST_ON_EXIT_TOUCH");
  const ServeOptions options{.threads = told("TEST_THREADS", 1),
                             .on_exit =
                                 [on_exit] {
                                   if (on_exit) put(on_exit, "left");
                                 },
                             .concurrency = told("TEST_CONCURRENCY", 256)};
  std::apply([&](auto... each) { bulkhead::serve_if_worker<CoroutineService>(options, each...); },
             handlers);
}

template <>
Pool<CoroutineService> pool_of_threads<CoroutineService>(const PoolOptions& options,
                                                         const ServeOptions& serve) {
  return std::apply(
      [&](auto... each) { return InlinePool<CoroutineService>(options, serve, each...); },
      handlers);
}

}  // namespace bulkhead::test
