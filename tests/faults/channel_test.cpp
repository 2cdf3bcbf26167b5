// Channels through real processes: items of all sizes, in both directions, slow and dropped ends.
#include "bulkhead/channel.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "faults/channels.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t large = std::size_t{5} << 20;  // more than any channel's memory

std::uint64_t sum_up_to(std::uint64_t count) { return count * (count - 1) / 2; }

}  // namespace

// Fault channel.items (one call): a handler sends items of all sizes through a Sender that its
// request carries, or takes them from a Receiver.
// Then: they come in order and whole, and the end of the stream behind them.
TEST_CASE("what a handler sends is received in order while it runs") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{20'000}, large}) {
    INFO(size);
    const std::uint64_t count = size == large ? 5 : 300;
    auto [sender, receiver] = channel<Item>(4);
    auto call = pool.run(Produce{.out = std::move(sender), .count = count, .size = size});
    CHECK(sender.closed());
    std::uint64_t next = 0;
    for (const Item& item : receiver) {
      REQUIRE(item.number == next++);
      REQUIRE(item.text == std::string(size, 'x'));
    }
    CHECK(next == count);
    CHECK_FALSE(receiver.receive());  // still at the end
    value_of(std::move(call));
  }
}

// Fault channel.items (one call)
TEST_CASE("what the app sends is received in order by a handler") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{20'000}, large}) {
    INFO(size);
    const std::uint64_t count = size == large ? 5 : 300;
    auto [sender, receiver] = channel<Item>(4);
    auto call = pool.run(Consume{.in = std::move(receiver)});
    const std::string text(size, 'x');
    for (std::uint64_t i = 0; i < count; ++i) sender.send({i, text});
    sender.close();
    const Summary got = value_of(std::move(call));
    CHECK(got.count == count);
    CHECK(got.sum == sum_up_to(count));
    CHECK(got.bytes == count * size);
  }
}

// Fault channel.items (one call)
TEST_CASE("a handler and its app converse") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [ask, questions] = channel<std::string>(1);
  auto [answers, hear] = channel<std::string>(1);
  auto call = pool.run(Converse{std::move(questions), std::move(answers)});
  for (int i = 0; i < 200; ++i) {
    ask.send(std::to_string(i));
    CHECK(hear.receive() == std::to_string(i) + std::to_string(i));
  }
  ask.close();
  CHECK_FALSE(hear.receive());
  CHECK(value_of(std::move(call)) == 200);
}

// Fault channel.items (one call)
TEST_CASE("what was sent before the receiver goes to a worker arrives first") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(5);
  for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(sender.try_send({i, std::string(200'000, 'x')}));
  CHECK_FALSE(sender.try_send({5, ""}));
  auto call = pool.run(Consume{.in = std::move(receiver)});
  sender.send({5, ""});
  sender.close();
  const Summary got = value_of(std::move(call));
  CHECK(got.count == 6);
  CHECK(got.bytes == 1'000'000);
}

// Fault channel.items (one call)
TEST_CASE("a sender that is dropped at once still ends its stream behind its items") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(8);
  for (std::uint64_t i = 0; i < 8; ++i) sender.send({i, std::string(1'000'000, 'x')});
  sender = {};
  CHECK(value_of(pool.run(Consume{.in = std::move(receiver)})).bytes == 8'000'000);
}

// Fault channel.places (one call): ends lie within other values of a request, or come in a
// response; they go on to another worker, or back. Then: they work wherever they are; between two
// workers the app passes items on.
TEST_CASE("ends work in vectors, optionals and structs") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [ones, in_one] = channel<std::uint64_t>(4);
  auto [twos, in_two] = channel<std::uint64_t>(4);
  auto [sums, out] = channel<std::uint64_t>(4);
  AddUp request{.ends = std::vector<Ends>(2)};
  request.ends[1].in.push_back(std::move(in_one));
  request.ends[1].in.push_back(std::move(in_two));
  request.ends[1].out = std::move(sums);
  auto call = pool.run(std::move(request));
  twos.send(2);
  ones.send(1);
  ones.close();
  twos.close();
  CHECK(drain(out) == Numbers{3});
  value_of(std::move(call));
}

// Fault channel.places (one call)
TEST_CASE("a worker opens channels, and goes on sending after it has answered") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto sources = value_of(pool.run(OpenSources{.count = 10, .items = 100}));
  REQUIRE(sources.size() == 10);
  for (auto& source : sources) CHECK(drain(source) == up_to(100));
}

// Fault channel.places (one call)
TEST_CASE("a worker goes on receiving after it has answered") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  Doubler doubler = value_of(pool.run(OpenDoubler{}));
  for (std::uint64_t i = 0; i < 100; ++i) {
    doubler.in.send(i);
    CHECK(doubler.out.receive() == 2 * i);
  }
  doubler.in.close();
  CHECK_FALSE(doubler.out.receive());
}

// Fault channel.places (many calls)
TEST_CASE("ends that are passed from worker to worker still work") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  ChannelWorker other = ChannelWorker::start();
  auto [numbers, in] = channel<std::uint64_t>(4);
  auto [sums, out] = channel<std::uint64_t>(4);
  Ends ends;
  ends.in.push_back(std::move(in));
  ends.out = std::move(sums);
  for (int i = 0; i < 3; ++i) {
    ends = value_of(pool.run(PassBack{std::move(ends)}));
    ends = value_of(other.run(PassBack{std::move(ends)}));
  }
  AddUp request;
  request.ends.push_back(std::move(ends));
  auto call = pool.run(std::move(request));
  for (std::uint64_t i = 0; i < 1000; ++i) numbers.send(i);
  numbers.close();
  CHECK(drain(out) == Numbers{sum_up_to(1000)});
  value_of(std::move(call));
}

// Fault channel.places (one call)
TEST_CASE("one worker sends to another through the app") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 2});
  auto [sender, receiver] = channel<Item>(4);
  auto consumer = pool.run(Consume{.in = std::move(receiver)});
  auto producer = pool.run(Produce{.out = std::move(sender), .count = 500, .size = 3000});
  const Summary got = value_of(std::move(consumer));
  CHECK(got.count == 500);
  CHECK(got.bytes == 500 * 3000);
  value_of(std::move(producer));
}

// Fault channel.slow (many calls): an end reads slowly, or not at all.
// Then: its writer waits once `capacity` items are on their way. No other call or channel does.
TEST_CASE("a slow reader slows its writer and nothing else") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 3});
  constexpr std::uint64_t capacity = 7;
  auto [sender, slow] = channel<Item>(capacity);
  auto [told, sent] = channel<std::uint64_t>(1000);
  auto slow_call =
      pool.run(Produce{.out = std::move(sender), .count = 50, .sent = std::move(told)});
  for (std::uint64_t i = 1; i <= capacity; ++i) CHECK(sent.receive() == i);

  auto [fast_sender, fast] = channel<Item>(2);
  auto fast_call = pool.run(Produce{.out = std::move(fast_sender), .count = 1000});
  std::uint64_t count = 0;
  for (const Item& item : fast) CHECK(item.number == count++);
  value_of(std::move(fast_call));
  for (int i = 0; i < 100; ++i) value_of(pool.run(PassBack{}));

  // What it was blocked by is gone as soon as an item is taken, and by one item only.
  for (std::uint64_t i = capacity + 1; i <= 50; ++i) {
    CHECK_FALSE(sent.try_receive());
    REQUIRE(slow.receive());
    CHECK(sent.receive() == i);
  }
  value_of(std::move(slow_call));
}

// Fault channel.slow (one call)
TEST_CASE("a handler that does not read makes the app's sender wait") {
  const LeakCheck leaks;
  const TempDir folder;
  ChannelPool pool{{.workers = 1}};
  auto [sender, receiver] = channel<Item>(3);
  auto call = pool.run(Consume{.in = std::move(receiver), .most = 2, .after = After::waits});
  std::uint64_t sent = 0;
  REQUIRE(wait_until([&, &to = sender] {
    sent += to.try_send({sent, ""});
    return sent == 5;
  }));
  for (int i = 0; i < 100; ++i) CHECK_FALSE(sender.try_send({0, ""}));
}

// Fault channel.slow (one call)
TEST_CASE("what can never be sent without waiting is told") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const TempDir folder;
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1, .max_message = 1 << 20});
  auto [sender, receiver] = channel<Item>(3);
  auto call = pool.run(Consume{.in = std::move(receiver), .begun = folder / "begun"});
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "begun"); }));
  for (const bool waits : {true, false}) {
    const Item item{1, std::string(waits ? 2 << 20 : 200'000, 'x')};
    const Error error = channel_error_of(
        [&, &to = sender] { waits ? to.send(item) : static_cast<void>(to.try_send(item)); });
    CHECK(error.code() == errc::message_too_large);
  }
  sender.send({1, std::string(200'000, 'x')});
  sender.close();
  CHECK(value_of(std::move(call)).bytes == 200'000);
}

// Fault channel.stopped (one call): a handler waits for a channel by its stop token, and its call
// is called off or past its deadline. Then: it stops waiting, with `cancelled`; no item is lost,
// and its worker lives on.
TEST_CASE("a handler that waits for a channel hears that it is to stop") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1, .kill_grace = 1h});
  auto [sender, receiver] = channel<Item>(2);
  auto consumer = pool.run(Consume{.in = std::move(receiver), .heeds = true}, {.timeout = 50ms});
  CHECK(error_of(std::move(consumer)).code() == errc::deadline_exceeded);
  auto [out, in] = channel<Item>(2);
  auto producer = pool.run(Produce{.out = std::move(out), .count = 1000, .heeds = true});
  REQUIRE(in.receive());
  producer.cancel();
  CHECK(error_of(std::move(producer)).code() == errc::cancelled);
  std::uint64_t next = 1;
  while (const auto item = in.receive()) CHECK(item->number == next++);
  CHECK(next > 1);
  CHECK(pool.stats().crashes == 0);
}

TEST_CASE("a thread that waits for a channel can be told to stop") {
  const LeakCheck leaks;
  std::stop_source stop;
  auto [sender, receiver] = channel<int>(1);
  sender.send(1, stop.get_token());
  CHECK(receiver.receive(stop.get_token()) == 1);
  std::thread stopper([&] { stop.request_stop(); });
  const auto wait = [&, &from = receiver] { static_cast<void>(from.receive(stop.get_token())); };
  CHECK(channel_error_of(wait).code() == errc::cancelled);
  stopper.join();
  CHECK(channel_error_of(wait).code() == errc::cancelled);  // at once
  sender.send(2);
  CHECK(receiver.receive() == 2);
  const std::stop_source never;
  sender.send(3, never.get_token());
  sender.close();
  CHECK(receiver.receive(never.get_token()) == 3);
  CHECK_FALSE(receiver.receive(never.get_token()));
}

// Fault channel.dropped (one call): an end is dropped.
// Then: a receiver that is left gets what was sent, and then the end; a sender `channel_closed`.
// Whoever waits is woken.
TEST_CASE("a handler that sends is woken when the app drops its receiver") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(2);
  auto call = pool.run(Produce{.out = std::move(sender), .count = 1000});
  REQUIRE(receiver.receive());
  receiver = {};
  const Error error = error_of(std::move(call));
  CHECK(error.code() == errc::handler_failed);
  CHECK(mentions(error, "the channel's receiver was dropped"));
}

// Fault channel.dropped (one call)
TEST_CASE("a handler that receives is woken when the app drops its sender") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const TempDir folder;
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(2);
  auto call = pool.run(Consume{.in = std::move(receiver), .begun = folder / "begun"});
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "begun"); }));
  sender = {};
  const Summary got = value_of(std::move(call));
  CHECK(got.count == 0);
  CHECK(got.error.empty());
}

// Fault channel.dropped (one call)
TEST_CASE("an app that sends is woken when the handler drops its receiver") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(2);
  auto call = pool.run(Consume{.in = std::move(receiver), .most = 10});
  const Error error = channel_error_of([&, &to = sender] {
    for (;;) to.send({1, ""});
  });
  CHECK(error.code() == errc::channel_closed);
  CHECK(value_of(std::move(call)).count == 10);
  CHECK(channel_error_of([&, &to = sender] { static_cast<void>(to.try_send({})); }).code() ==
        errc::channel_closed);
}

// Fault channel.dropped (one call)
TEST_CASE("a handler that throws ends the streams it sent into") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto [sender, receiver] = channel<Item>(20);
  auto call = pool.run(Produce{.out = std::move(sender), .count = 9, .after = After::throws});
  std::uint64_t count = 0;
  for (const Item& item : receiver) CHECK(item.number == count++);
  CHECK(count == 9);
  CHECK(error_of(std::move(call)).code() == errc::handler_failed);
}

// Fault channel.many (many calls): many channels are open at once, from many threads.
// Then: each has its own items, and none waits for another.
TEST_CASE("many channels of one worker do not disturb each other") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 1});
  auto sources = value_of(pool.run(OpenSources{.count = 100, .items = 50}));
  REQUIRE(sources.size() == 100);
  // From the last to the first: those before are full, and wait.
  for (auto source = sources.rbegin(); source != sources.rend(); ++source)
    CHECK(drain(*source) == up_to(50));
}

// Fault channel.many (many calls)
TEST_CASE("a worker with several threads runs handlers that wait for their channels") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ChannelPool pool = pool_of<ChannelService>(kind, {.workers = 2}, 4);
  std::vector<Sender<std::string>> asks;
  std::vector<Receiver<std::string>> answers;
  std::vector<Future<std::uint64_t>> calls;
  for (int i = 0; i < 8; ++i) {
    auto [ask, questions] = channel<std::string>(1);
    auto [answer, hear] = channel<std::string>(1);
    calls.push_back(pool.run(Converse{std::move(questions), std::move(answer)}));
    asks.push_back(std::move(ask));
    answers.push_back(std::move(hear));
  }
  for (int round = 0; round < 20; ++round) {
    for (auto& ask : asks) ask.send("a");
    for (auto& answer : answers) CHECK(answer.receive() == "aa");
  }
  asks.clear();
  for (auto& call : calls) CHECK(value_of(std::move(call)) == 20);
}
