// Channels whose processes die, or whose calls never begin.
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "faults/channels.hpp"
#include "platform/fault.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// How much comes before the error, and the error.
struct Broken {
  std::uint64_t count;
  Error error;
};
Broken read_until_broken(Receiver<Item>& receiver) {
  std::uint64_t count = 0;
  const Error error = channel_error_of([&] {
    for (const Item& item : receiver)
      if (item.number != count++) throw std::runtime_error("items are missing");
  });
  return {count, error};
}

Error send_until_broken(Sender<Item>& sender) {
  return channel_error_of([&] {
    for (std::uint64_t number = 0;; ++number) sender.send({number, ""});
  });
}

}  // namespace

// Fault channel.death (one call): a worker dies while its channels are open.
// Then: what it has sent is received, and then `channel_closed` with the crash. Whoever sends to it
// gets the same, and is woken.
TEST_CASE("what a worker sent before it died is received, and then its crash") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(100);
  auto call =
      pool.run(Produce{.out = std::move(sender), .count = 50, .size = 99, .after = After::dies});
  const auto [count, error] = read_until_broken(receiver);
  CHECK(count == 50);
  CHECK(error.code() == errc::channel_closed);
  CHECK(mentions(error, "died of SIGABRT"));
  REQUIRE(error.crash());
  CHECK(error.crash()->status.signal == SIGABRT);
  CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
  CHECK(read_until_broken(receiver).error.crash());  // as often as it is asked
}

// Fault channel.death (one call)
TEST_CASE("what a worker sent before it was killed is there long after that") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start();
  auto [sender, receiver] = channel<Item>(100);
  auto [told, sent] = channel<std::uint64_t>(100);
  auto call = worker.run(Produce{
      .out = std::move(sender), .count = 30, .after = After::waits, .sent = std::move(told)});
  while (sent.receive() != 30) continue;
  ::kill(worker.pid(), SIGKILL);
  CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
  worker = {};
  const auto [count, error] = read_until_broken(receiver);
  CHECK(count == 30);
  CHECK(mentions(error, "died of SIGKILL"));
}

// Fault channel.death (one call)
TEST_CASE("an app that waits for a worker's items is woken when that is killed") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start();
  auto [sender, receiver] = channel<Item>(100);
  auto call = worker.run(Produce{.out = std::move(sender), .count = 1, .after = After::waits});
  CHECK(receiver.receive());
  std::jthread killer([&] { ::kill(worker.pid(), SIGKILL); });
  CHECK(read_until_broken(receiver).error.crash());
}

// Fault channel.death (one call)
TEST_CASE("an app that sends is woken when the worker is killed that receives") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start();
  auto [sender, receiver] = channel<Item>(2);
  auto call = worker.run(Consume{.in = std::move(receiver), .most = 1, .after = After::waits});
  for (int i = 0; i < 3; ++i) sender.send({});
  std::jthread killer([&] { ::kill(worker.pid(), SIGKILL); });
  const Error error = send_until_broken(sender);
  CHECK(error.code() == errc::channel_closed);
  CHECK(error.crash());
  CHECK(wait_until([&, &to = sender] {
    return channel_error_of([&] { static_cast<void>(to.try_send({})); }).crash() != nullptr;
  }));
}

// Fault channel.death (one call)
TEST_CASE("a worker that dies in the middle of a large item breaks its channel") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start(
      {.launch = Launch::self().env("BULKHEAD_FAULT", "channel.mid_item:5:kill")});
  auto [sender, receiver] = channel<Item>(2);
  auto call = worker.run(Produce{.out = std::move(sender), .count = 1, .size = 1 << 20});
  const auto [count, error] = read_until_broken(receiver);
  CHECK(count == 0);
  CHECK(error.crash());
}

// Fault channel.death (one call)
TEST_CASE("a worker that dies as it takes the ends of its call breaks their channels") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start(
      {.launch = Launch::self().env("BULKHEAD_FAULT", "worker.end_needed:1:kill")});
  auto [sender, receiver] = channel<Item>(2);
  auto call = worker.run(Produce{.out = std::move(sender), .count = 1});
  const auto [count, error] = read_until_broken(receiver);
  CHECK(count == 0);
  CHECK(error.code() == errc::channel_closed);
  CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
}

// Fault channel.death (many calls)
TEST_CASE(
    "workers that die in the middle of items break the streams that they read, and no other") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 3,
                    .launch = Launch::self().env("BULKHEAD_FAULT", "channel.part_taken:100:kill"),
                    .restart = {.count = 0}}};
  constexpr std::uint64_t items = 3;
  struct Stream {
    Future<Summary> call;
    std::optional<Error> sending = {};
    std::jthread sender = {};
  };
  std::vector<Stream> streams(12);
  for (Stream& stream : streams) {
    auto [sender, receiver] = channel<Item>(1);
    stream.call = pool.run(Consume{.in = std::move(receiver)});
    stream.sender = std::jthread([&stream, out = std::move(sender)]() mutable {
      try {
        for (std::uint64_t i = 0; i < items; ++i) out.send({i, std::string(300'000, 'x')});
      } catch (const Error& error) {
        stream.sending = error;
      }
      out.close();
    });
  }
  std::size_t broken = 0;
  for (Stream& stream : streams) {
    try {
      const Summary whole = value_of(std::move(stream.call));
      CHECK(whole.count == items);
      CHECK(whole.error.empty());
    } catch (const Error& error) {
      ++broken;
      CHECK(error.code() == errc::worker_crashed);
    }
    stream.sender.join();
    if (stream.sending) CHECK(stream.sending->code() == errc::channel_closed);
  }
  CHECK(broken > 0);
  CHECK(broken < streams.size());
}

// Fault channel.death (one call)
TEST_CASE("a stream that was closed before its worker died has ended well") {
  const LeakCheck leaks;
  ChannelWorker worker =
      ChannelWorker::start({.launch = Launch::self().env("BULKHEAD_FAULT", "channel.left:1:kill")});
  auto [sender, receiver] = channel<Item>(20);
  auto call = worker.run(Produce{.out = std::move(sender), .count = 9});
  CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
  std::uint64_t count = 0;
  for (const Item& item : receiver) CHECK(item.number == count++);
  CHECK(count == 9);
}

// Fault channel.death (many calls)
TEST_CASE("a worker that dies breaks the stream that passes through the app to another") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  ChannelWorker other = ChannelWorker::start();
  auto [sender, receiver] = channel<Item>(3);
  auto consumer = other.run(Consume{.in = std::move(receiver)});
  auto producer =
      pool.run(Produce{.out = std::move(sender), .count = 500, .size = 1000, .after = After::dies});
  const Summary got = value_of(std::move(consumer));
  CHECK(got.count == 500);
  CHECK(got.error.find("the process that sent into it has ended") != std::string::npos);
  CHECK(error_of(std::move(producer)).code() == errc::worker_crashed);
}

// Fault channel.death (many calls)
TEST_CASE("all channels of a worker end with it, and those of others go on") {
  const LeakCheck leaks;
  ChannelWorker worker = ChannelWorker::start(), other = ChannelWorker::start();
  auto sources = value_of(worker.run(OpenSources{.count = 50, .items = 1'000'000}));
  Doubler doubler = value_of(other.run(OpenDoubler{}));
  for (auto& source : sources) CHECK(source.receive() == 0u);
  ::kill(worker.pid(), SIGKILL);
  for (auto& source : sources)
    CHECK(channel_error_of([&] { drain(source); }).code() == errc::channel_closed);
  doubler.in.send(7);
  CHECK(doubler.out.receive() == 14u);
}

// Fault channel.not-begun (one call): the call that an end went with fails before a worker has
// begun it, or its worker dies before it has taken the end. Then: the other end is
// `channel_closed`, with the call's error in words; a call that is tried again takes its ends
// along, and one whose ends a worker has taken is not tried again.
TEST_CASE("a receiver whose sender went with a call that failed is told of it") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(1);
  pool.shutdown();
  CHECK(error_of(pool.run(Produce{.out = std::move(sender)})).code() == errc::shut_down);
  const Error error = channel_error_of([&, &from = receiver] { from.receive(); });
  CHECK(error.code() == errc::channel_closed);
  CHECK(mentions(error, "did not arrive"));
  CHECK(mentions(error, "were shut down"));
}

// Fault channel.not-begun (one call)
TEST_CASE("a sender that waits is woken when its receiver's call is called off") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  auto [first_sender, first] = channel<Item>(1);
  auto running = pool.run(Consume{.in = std::move(first)});
  auto [sender, receiver] = channel<Item>(2);
  auto waiting = pool.run(Consume{.in = std::move(receiver)});
  sender.send({0, ""});
  sender.send({1, ""});
  CHECK_FALSE(sender.try_send({}));
  std::jthread canceller([&] { waiting.cancel(); });
  CHECK(mentions(send_until_broken(sender), "did not arrive"));
  first_sender.close();
  value_of(std::move(running));
}

// Fault channel.not-begun (one call)
TEST_CASE("a call whose worker died before it took the ends takes them to the next") {
  const LeakCheck leaks;
  const TempDir folder;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(10);
  sender.send({5, ""});
  auto call = pool.run(ConsumeAtLast{.before = {folder / "died"}, .in = std::move(receiver)});
  sender.send({6, ""});
  sender.close();
  CHECK(value_of(std::move(call)).sum == 11);
  CHECK(pool.stats().crashes == 1);
}

// Fault channel.not-begun (one call)
TEST_CASE("a call whose worker died after it took the ends is not tried again") {
  const LeakCheck leaks;
  const TempDir folder;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(10);
  auto call = pool.run(ConsumeAtLast{.in = std::move(receiver), .after = {folder / "died"}});
  CHECK(error_of(std::move(call)).code() == errc::worker_crashed);
  CHECK(send_until_broken(sender).crash());
  CHECK(pool.stats().crashes == 1);
}

// Fault channel.none-left (one call): there is no memory or descriptor for a channel.
// Then: the call fails and says so; its worker lives on.
TEST_CASE("a call whose channel cannot be made fails, and says why") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  platform::use_faults("app.channel:*:errno=24");
  auto [sender, receiver] = channel<Item>(10);
  const Error error = error_of(pool.run(Consume{.in = std::move(receiver)}));
  const Error other = error_of(pool.run(OpenSources{.count = 1, .items = 1}));
  platform::use_faults("");
  for (const Error& failed : {error, other}) {
    CHECK(failed.code() == errc::handler_failed);
    CHECK(mentions(failed, "Too many open files"));
  }
  CHECK(send_until_broken(sender).code() == errc::channel_closed);
  CHECK(pool.stats().crashes == 0);
  CHECK(value_of(pool.run(OpenSources{.count = 1, .items = 1})).size() == 1);
}

// Fault channel.none-left (one call)
TEST_CASE("ends of an answer that could not be sent are closed") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  for (int i = 0; i < 100; ++i)
    CHECK(error_of(pool.run(OpenSources{.count = 10, .items = 1, .too_large = true})).code() ==
          errc::handler_failed);
  CHECK(value_of(pool.run(OpenSources{.count = 10, .items = 1})).size() == 10);
}

// Fault channel.ends-with-pool (one call): a pool is shut down or destroyed, or a call called off,
// while a handler waits for its channel.
// Then: the handler's worker is ended as any that does not stop, and the app's ends with it.
TEST_CASE("a pool that is destroyed ends the channels of its workers") {
  const LeakCheck leaks;
  auto [sender, receiver] = channel<Item>(10);
  auto [first, in] = channel<Item>(10);
  {
    ChannelPool pool{{.workers = 2}};
    auto producer = pool.run(Produce{.out = std::move(sender), .count = 4, .after = After::waits});
    auto consumer = pool.run(Consume{.in = std::move(in)});
    CHECK(receiver.receive());
    first.send({});
  }
  CHECK(channel_error_of([&, &from = receiver] {
          while (from.receive()) continue;
        }).code() == errc::channel_closed);
  CHECK(send_until_broken(first).code() == errc::channel_closed);
}

// Fault channel.ends-with-pool (one call)
TEST_CASE("a handler that waits for its channel is ended when its call is called off") {
  const LeakCheck leaks;
  const TempDir folder;
  ChannelPool pool{{.workers = 1, .kill_grace = std::chrono::milliseconds(1)}};
  auto [sender, receiver] = channel<Item>(10);
  auto call = pool.run(Consume{.in = std::move(receiver), .begun = folder / "begun"});
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "begun"); }));
  call.cancel();
  CHECK(error_of(std::move(call)).code() == errc::cancelled);
  const Error error = send_until_broken(sender);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::cancelled);
}

// Fault channel.ends-with-pool (one call)
TEST_CASE("a worker that leaves breaks what it still had open") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  auto sources = value_of(pool.run(OpenSources{.count = 1, .items = 1'000'000}));
  pool.shutdown();
  const Error error = channel_error_of([&] { drain(sources.front()); });
  CHECK(error.code() == errc::channel_closed);
  CHECK(mentions(error, "was shut down"));
}

// Fault channel.forks (one call): the app forks while it has ends.
// Then: in the fork they do nothing but say so; in the app they go on.
TEST_CASE("a fork of the app leaves its channels alone") {
  const LeakCheck leaks;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(10);
  auto call = pool.run(Consume{.in = std::move(receiver)});
  sender.send({1, ""});
  const int status = in_child([&, &to = sender] {
    expect(mentions(channel_error_of([&] { to.send({2, ""}); }), "forked"));
    to = {};
  });
  CHECK(status == 0);
  sender.send({3, ""});
  sender.close();
  CHECK(value_of(std::move(call)).sum == 4);
}
