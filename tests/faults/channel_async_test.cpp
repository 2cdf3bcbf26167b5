// Sending and receiving as asynchronous operations, in the app and in handlers.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <csignal>

#include "faults/async.hpp"
#include "faults/channels.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

using boost::asio::use_awaitable;
using boost::asio::use_future;

asio::awaitable<void> send_all(Sender<Item>& sender, std::uint64_t count) {
  Item item{0, "text"};  // GCC 12 destroys one that is made within co_await twice
  for (; item.number < count; ++item.number) co_await sender.async_send(item, use_awaitable);
  sender.close();
}

asio::awaitable<std::uint64_t> receive_all(Receiver<Item>& receiver) {
  std::uint64_t count = 0;
  while (const auto item = co_await receiver.async_receive(use_awaitable)) {
    if (item->number != count) throw std::runtime_error("items are missing");
    ++count;
  }
  co_return count;
}

}  // namespace

// Fault channel.async (one call): the app or a handler sends and receives by asynchronous
// operations.
// Then: they are as the others; one that waits when its end is dropped, or that is called off, is
// `cancelled`, and nothing is lost.
TEST_CASE("coroutines send to a handler and receive from it") {
  start_system_threads();
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 2});
  asio::io_context io;
  auto [sender, in] = channel<Item>(2);
  auto [out, receiver] = channel<Item>(2);
  auto consumer = pool.run(Consume{.in = std::move(in)});
  auto producer = pool.run(Produce{.out = std::move(out), .count = 300});
  auto sent = asio::co_spawn(io, send_all(sender, 300), use_future);
  auto received = asio::co_spawn(io, receive_all(receiver), use_future);
  run(io);
  sent.get();
  CHECK(received.get() == 300);
  CHECK(value_of(std::move(consumer)).count == 300);
  value_of(std::move(producer));
}

// Fault channel.async (one call)
TEST_CASE("handlers send and receive by futures") {
  start_system_threads();
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 2});
  auto [sender, receiver] = channel<Item>(2);
  auto consumer = pool.run(Consume{.in = std::move(receiver), .async = true});
  auto producer =
      pool.run(Produce{.out = std::move(sender), .count = 100, .size = 200'000, .async = true});
  CHECK(value_of(std::move(consumer)).bytes == 100 * 200'000);
  value_of(std::move(producer));
}

// Fault channel.async (one call)
TEST_CASE("asynchronous operations within one process wait for each other") {
  start_system_threads();
  const LeakCheck leaks;
  asio::io_context io;
  auto [sender, receiver] = channel<Item>(1);
  auto sent = asio::co_spawn(io, send_all(sender, 100), use_future);
  auto received = asio::co_spawn(io, receive_all(receiver), use_future);
  run(io);
  CHECK(received.get() == 100);
}

// Fault channel.async (one call)
TEST_CASE("an asynchronous receive hears of its worker's death") {
  start_system_threads();
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start();
  auto [sender, receiver] = channel<Item>(5);
  auto call = worker.run(Produce{.out = std::move(sender), .count = 1, .after = After::waits});
  CHECK(receiver.async_receive(use_future).get());
  auto next = receiver.async_receive(use_future);
  ::kill(worker.pid(), SIGKILL);
  CHECK(channel_error_of([&] { next.get(); }).crash());
}

// Fault channel.async (one call)
TEST_CASE("an asynchronous operation whose end is dropped or that is called off loses no item") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, in] = channel<Item>(5);
  auto [told, receiver] = channel<std::uint64_t>(5);
  auto call = pool.run(Consume{.in = std::move(in)});
  asio::cancellation_signal signal;
  Seen cancelled;
  receiver.async_receive(asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
  CHECK_THROWS_AS(receiver.receive(), std::logic_error);  // one at a time
  signal.emit(asio::cancellation_type::total);
  CHECK(cancelled.once());
  CHECK(cancelled.error == errc::cancelled);
  told.send(1);
  CHECK(receiver.receive() == 1u);

  Seen dropped;
  receiver.async_receive(dropped.handler());
  receiver = {};
  CHECK(dropped.once());
  CHECK(dropped.error == errc::cancelled);

  sender.close();
  value_of(std::move(call));
}

// Fault channel.async (one call)
TEST_CASE("what an asynchronous send has begun is sent though its sender is dropped") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, in] = channel<Item>(1);
  auto call = pool.run(Consume{.in = std::move(in)});
  Seen seen;
  sender.async_send(Item{7, std::string(std::size_t{8} << 20, 'x')}, seen.handler());
  sender = {};
  CHECK(seen.once());
  CHECK_FALSE(seen.error);
  CHECK(value_of(std::move(call)).sum == 7);
}

// Fault channel.async (one call)
TEST_CASE("asynchronous operations of closed ends fail") {
  start_system_threads();
  const LeakCheck leaks;
  Sender<Item> sender;
  Receiver<Item> receiver;
  CHECK(channel_error_of([&] { sender.async_send(Item{}, use_future).get(); }).code() ==
        errc::channel_closed);
  CHECK(channel_error_of([&] { receiver.async_receive(use_future).get(); }).code() ==
        errc::channel_closed);
  auto later = receiver.async_receive(asio::deferred);
  CHECK(channel_error_of([&] { later(use_future).get(); }).code() == errc::channel_closed);
  CHECK_THROWS_AS(later(use_future).get(), std::logic_error);  // once
}
