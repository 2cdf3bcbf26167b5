// Channels whose both ends are in one process, as in tests of handlers.
#include "bulkhead/channel.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "bulkhead/bulkhead.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead;

namespace {

template <class Work>
errc code_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return static_cast<errc>(error.code().value());
  }
  throw std::runtime_error("it has not failed");
}

// Reads as a number; another wrote a string.
struct Odd {
  int number = 0;
  std::string text = {};
  bool wrong = false;
  template <class Archive>
  void save(Archive& ar) const {
    wrong ? ar(text) : ar(number);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(number);
    if (number == 13) throw std::domain_error("a number that nobody likes");
  }
};

static_assert(std::is_nothrow_move_constructible_v<Sender<int>>);
static_assert(!std::is_copy_constructible_v<Sender<int>>);
static_assert(!std::is_copy_constructible_v<Receiver<int>>);
static_assert(std::input_iterator<Receiver<int>::iterator>);

}  // namespace

TEST_CASE("items come out as they went in, and the end behind them") {
  auto [sender, receiver] = channel<std::vector<std::string>>(3);
  sender.send({"a", "b"});
  sender.send({});
  sender.close();
  CHECK(sender.closed());
  CHECK(receiver.receive() == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(receiver.ended());
  CHECK(receiver.try_receive() == std::vector<std::string>{});
  CHECK_FALSE(receiver.try_receive());
  CHECK(receiver.ended());
  CHECK_FALSE(receiver.receive());
}

TEST_CASE("a channel is full when its capacity is on its way") {
  auto [sender, receiver] = channel<int>(2);
  CHECK_FALSE(receiver.try_receive());
  CHECK_FALSE(receiver.ended());
  CHECK(sender.try_send(1));
  CHECK(sender.try_send(2));
  CHECK_FALSE(sender.try_send(3));
  CHECK(receiver.receive() == 1);
  CHECK(sender.try_send(3));
  CHECK(receiver.receive() == 2);
  CHECK(receiver.receive() == 3);
}

TEST_CASE("a thread that sends waits for one that receives, and the other way round") {
  auto [sender, receiver] = channel<int>(1);
  std::thread writer([&, &to = sender] {
    for (int i = 0; i < 10'000; ++i) to.send(i);
    to.close();
  });
  int next = 0;
  for (int& item : receiver) CHECK(item++ == next++);
  writer.join();
  CHECK(next == 10'000);
}

TEST_CASE("whoever waits for an end that is dropped is woken") {
  auto [sender, receiver] = channel<int>(1);
  sender.send(1);
  SECTION("the sender") {
    std::thread dropper([&, &from = receiver] { from = {}; });
    CHECK(code_of([&, &to = sender] { to.send(2); }) == errc::channel_closed);
    dropper.join();
  }
  SECTION("the receiver") {
    CHECK(receiver.receive() == 1);
    std::thread dropper([&, &to = sender] { to = {}; });
    CHECK_FALSE(receiver.receive());
    dropper.join();
  }
}

TEST_CASE("an end that was moved or never made is closed") {
  auto [sender, receiver] = channel<int>(1);
  Sender<int> moved = std::move(sender);
  CHECK(sender.closed());
  CHECK(code_of([&, &to = sender] { to.send(1); }) == errc::channel_closed);
  moved.send(1);
  CHECK(receiver.receive() == 1);
  CHECK(code_of([] { static_cast<void>(Sender<int>().try_send(1)); }) == errc::channel_closed);
  CHECK(code_of([] { Receiver<int>().receive(); }) == errc::channel_closed);
  CHECK(code_of([] { Receiver<int>().try_receive(); }) == errc::channel_closed);
  CHECK_THROWS_AS(channel<int>(0), std::invalid_argument);
}

TEST_CASE("what unpacking an item throws goes through, and the next item is there") {
  auto [sender, receiver] = channel<Odd>(4);
  sender.send({.number = 13});
  sender.send({.number = 1});
  CHECK_THROWS_AS(receiver.receive(), std::domain_error);
  CHECK(receiver.receive()->number == 1);
}

TEST_CASE("what is no item breaks the channel") {
  auto [sender, receiver] = channel<Odd>(4);
  sender.send({.text = "a string", .wrong = true});
  sender.send({.number = 1});
  sender.close();
  CHECK(code_of([&, &from = receiver] { from.receive(); }) == errc::channel_closed);
  CHECK(code_of([&, &from = receiver] { from.receive(); }) == errc::channel_closed);
}

TEST_CASE("an end does not travel in an item, and stays where it is") {
  auto [sender, receiver] = channel<Sender<int>>(1);
  auto [inner, out] = channel<int>(1);
  CHECK(code_of([&, &to = sender, &end = inner] { to.send(end); }) == errc::codec_failed);
  inner.send(1);
  CHECK(out.receive() == 1);
}
