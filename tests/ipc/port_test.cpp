// A channel between two ports, both of them in this process, and a peer that breaks the rules.
#include "ipc/port.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <thread>

#include "ipc/credit.hpp"
#include "platform/socket.hpp"

using namespace bulkhead::ipc;
namespace platform = bulkhead::platform;

namespace {

constexpr std::size_t max_item = std::size_t{4} << 20;

// The memory is mapped twice, as by two processes.
struct Ports {
  explicit Ports(std::uint64_t capacity) : Ports(capacity, ChannelMemory::ring_bytes(capacity)) {}
  Ports(std::uint64_t capacity, std::uint64_t ring)
      : Ports(capacity, ring, ChannelMemory::make(ring)) {}
  Ports(std::uint64_t capacity, std::uint64_t ring, std::pair<ChannelMemory, platform::Fd> made)
      : spy(ChannelMemory::adopt(made.second, ring)),
        bell(platform::stream_pair()),
        sender(std::move(made.first), std::move(bell.ours), capacity),
        receiver(ChannelMemory::adopt(made.second, ring), std::move(bell.theirs), max_item) {}

  ChannelControl& control() { return spy.control(); }

  ChannelMemory spy;
  platform::SocketPair bell;
  SendPort sender;
  ReceivePort receiver;
};

Buffer item(std::size_t size, char fill = 'x') { return Buffer(size, std::byte(fill)); }

using Push = SendPort::Push;
using Pull = ReceivePort::Pull;

}  // namespace

TEST_CASE("credit is for as many items as were not taken") {
  Credit credit(2);
  CHECK(credit.may_send());
  credit.sent();
  credit.sent();
  CHECK_FALSE(credit.may_send());
  CHECK(credit.note_taken(1));
  CHECK(credit.may_send());
  CHECK_FALSE(credit.note_taken(3));  // more than were sent
  CHECK_FALSE(credit.note_taken(0));  // fewer than before
  CHECK_FALSE(credit.note_taken(~std::uint64_t{}));
  CHECK(credit.taken() == 1);
}

TEST_CASE("a port sends until its capacity is on its way, and again when an item was taken") {
  Ports ports(3);
  for (int i = 0; i < 3; ++i) CHECK(ports.sender.push(item(10)) == Push::done);
  CHECK(ports.sender.push(item(10)) == Push::full);
  CHECK_FALSE(ports.sender.fits(10));
  Buffer taken;
  REQUIRE(ports.receiver.pull(taken) == Pull::item);
  CHECK(taken == item(10));
  CHECK(ports.sender.fits(10));
  CHECK(ports.sender.push(item(0)) == Push::done);
  CHECK(ports.sender.push(item(10)) == Push::full);
}

TEST_CASE("an item larger than the memory goes in parts, and counts as one") {
  Ports ports(1);
  const Buffer large = item(1'000'000);
  Buffer taken;
  for (int round = 0; round < 3; ++round) {
    CHECK(ports.sender.push(large) == Push::full);
    CHECK(ports.sender.mid_item());
    Pull pulled = Pull::empty;
    Push pushed = Push::full;
    while (pulled == Pull::empty) {
      pulled = ports.receiver.pull(taken);
      if (pushed == Push::full) pushed = ports.sender.push(large);
    }
    CHECK(pulled == Pull::item);
    CHECK(taken == large);
    if (pushed == Push::full) CHECK(ports.sender.push(large) == Push::done);
  }
  CHECK_FALSE(ports.sender.ever_fits(large.size()));
  CHECK(ports.sender.ever_fits(60'000));
}

TEST_CASE("what was sent before an end is received before it") {
  Ports ports(3);
  CHECK(ports.sender.push(item(5)) == Push::done);
  ports.sender.leave(Leave::closed);
  Buffer taken;
  CHECK(ports.receiver.sender_left());
  CHECK(ports.receiver.pull(taken) == Pull::item);
  CHECK(ports.receiver.pull(taken) == Pull::ended);
  ports.receiver.leave();
  CHECK(ports.sender.receiver_left());
  CHECK(ports.sender.push(item(5)) == Push::closed);
}

TEST_CASE("an end that is broken is told from one that is closed") {
  Ports ports(3);
  ports.sender.leave(Leave::broken);
  Buffer taken;
  CHECK(ports.receiver.pull(taken) == Pull::broken);
}

TEST_CASE("no wake-up is lost between two ports that sleep") {
  const auto capacity = GENERATE(as<std::uint64_t>(), 1, 2, 7, 1000);
  const auto size = GENERATE(as<std::size_t>(), 8, 5'000, 300'000);
  const std::uint64_t count = size > 100'000 ? 30 : 20'000;
  Ports ports(capacity);
  std::thread writer([&] {
    Buffer sent = item(size);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::memcpy(sent.data(), &i, sizeof i);
      while (ports.sender.push(sent) == Push::full) ports.sender.wait();
    }
    ports.sender.leave(Leave::closed);
  });
  Buffer taken;
  std::uint64_t next = 0;
  for (Pull pull = Pull::empty; pull != Pull::ended;) {
    pull = ports.receiver.pull(taken);
    if (pull == Pull::empty) ports.receiver.wait();
    if (pull != Pull::item) continue;
    std::uint64_t number = 0;
    std::memcpy(&number, taken.data(), sizeof number);
    REQUIRE(number == next++);
    REQUIRE(taken.size() == size);
  }
  writer.join();
  CHECK(next == count);
}

TEST_CASE("a port that sleeps is woken by the end of the other") {
  Ports ports(1);
  SECTION("the sender, by its receiver") {
    CHECK(ports.sender.push(item(1)) == Push::done);
    CHECK(ports.sender.push(item(1)) == Push::full);
    CHECK_FALSE(ports.sender.arm());
    ports.receiver.leave();
    ports.sender.wait();
    CHECK(ports.sender.push(item(1)) == Push::closed);
  }
  SECTION("the receiver, by its sender") {
    CHECK_FALSE(ports.receiver.arm());
    ports.sender.leave(Leave::closed);
    ports.receiver.wait();
  }
  SECTION("either, by whoever hangs up for it") {
    std::thread other([&] { ports.receiver.hang_up(); });
    while (!ports.receiver.hung_up()) ports.receiver.wait();
    other.join();
    CHECK(ports.sender.hear() == Bell::closed);
  }
}

TEST_CASE("a receiver that breaks the rules is a violation to the sender") {
  Ports ports(2);
  CHECK(ports.sender.push(item(1)) == Push::done);
  CHECK(ports.sender.push(item(1)) == Push::done);
  SECTION("it has taken what was not sent") { ports.control().taken = 3; }
  SECTION("it says that it has left, in no way that there is") {
    ports.control().receiver_left = 9;
  }
  CHECK(ports.sender.arm());  // there is something to be told
  CHECK(ports.sender.push(item(1)) == Push::violation);
  CHECK(ports.sender.push(item(1)) == Push::violation);
}

TEST_CASE("a sender that breaks the rules is a violation to the receiver") {
  Ports ports(2);
  RingMemory ring = ports.spy.ring();
  const auto publish = [&](std::uint32_t size, std::uint32_t flags) {
    const FrameHeader header{size, flags};
    std::memcpy(ring.data + ring.control->tail.load(), &header, sizeof header);
    ring.control->tail += framed_size(size & 0xfff);
  };
  SECTION("positions") { ring.control->tail = 2 * ring.capacity; }
  SECTION("a frame without a mark") { publish(8, 0); }
  SECTION("an end within an item") {
    publish(8, frame_mark | more);
    ports.control().sender_left = 1;
  }
  SECTION("an end in no way that there is") { ports.control().sender_left = 4; }
  SECTION("parts that hold nothing") { publish(0, frame_mark | more); }
  Buffer taken;
  CHECK(ports.receiver.arm());
  CHECK(ports.receiver.pull(taken) == Pull::violation);
}

TEST_CASE("an item larger than any may be is a violation") {
  Ports ports(2);
  const Buffer large = item(max_item + 1);
  Buffer taken;
  Pull pull = Pull::empty;
  while (pull == Pull::empty) {
    CHECK(ports.sender.push(large) != Push::violation);
    pull = ports.receiver.pull(taken);
  }
  CHECK(pull == Pull::violation);
}
