#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "ipc/link.hpp"
#include "ipc/own_ring.hpp"
#include "support/in_child.hpp"

namespace {

using namespace bulkhead::ipc;
using namespace std::chrono_literals;
using bulkhead::test::bytes;
using bulkhead::test::Checksum;
using bulkhead::test::expect;
using bulkhead::test::OwnRing;

// Sizes from nothing to the largest frame, with many small ones.
std::size_t next_size(std::minstd_rand& random, std::size_t largest) {
  return random() % 2 ? random() % 65 : random() % (largest + 1);
}

Deadline watchdog() { return std::chrono::steady_clock::now() + 50s; }

std::uint64_t send_stream(Link& link, std::size_t total) {
  const Buffer data = bytes(link.largest_payload());
  std::minstd_rand random(3);
  Checksum sum;
  for (std::size_t sent = 0; sent < total;) {
    const std::size_t size = std::min(next_size(random, data.size()), total - sent);
    const auto payload = std::span(data).last(size);
    while (link.send({}, payload) == Write::full)
      expect(link.wait_for_room(size, watchdog()) == Wake::ready);
    sum.add(payload);
    sent += size;
  }
  return sum.value();
}

std::uint64_t receive_stream(Link& link, std::size_t total) {
  Checksum sum;
  Buffer buffer;
  for (std::size_t got = 0; got < total; got += buffer.size()) {
    buffer.clear();
    expect(link.wait_for_frame(watchdog()) == Wake::ready);
    expect(link.receive(buffer) == Read::frame);
    sum.add(buffer);
  }
  return sum.value();
}

// The child sends `total` bytes to us and then their sum.
void stream_from_child(std::size_t total, std::uint32_t spin_limit) {
  Segment segment = Segment::create({.ring_bytes = 64 * 1024});
  segment.hints().worker_spin_limit_ns = spin_limit;
  auto [ours, theirs] = Doorbell::make();
  const pid_t child = bulkhead::test::start_in_child([&, &bell = theirs] {
    Link link(End::worker, Segment::open(segment.name()), std::move(bell));
    const std::uint64_t sum = send_stream(link, total);
    while (link.send(std::as_bytes(std::span(&sum, 1)), {}) == Write::full)
      expect(link.wait_for_room(sizeof sum, watchdog()) == Wake::ready);
  });
  Link link(End::app, std::move(segment), std::move(ours));
  const std::uint64_t sum = receive_stream(link, total);
  Buffer told;
  REQUIRE(link.wait_for_frame(watchdog()) == Wake::ready);
  REQUIRE(link.receive(told) == Read::frame);
  REQUIRE(told.size() == sizeof sum);
  CHECK(std::memcmp(told.data(), &sum, sizeof sum) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace

TEST_CASE("Two threads stream through a ring, and each byte arrives in order") {
  constexpr std::size_t total = 4 << 20;
  OwnRing ring;
  std::uint64_t sent_sum = 0;
  std::thread sender([&] {
    RingWriter writer(ring.memory());
    const Buffer data = bytes(writer.largest_payload());
    std::minstd_rand random(5);
    Checksum sum;
    for (std::size_t sent = 0; sent < total;) {
      const std::size_t size = std::min(next_size(random, data.size()), total - sent);
      const auto payload = std::span(data).last(size);
      while (writer.try_write(payload, {}) != Write::done) std::this_thread::yield();
      sum.add(payload);
      sent += size;
    }
    sent_sum = sum.value();
  });
  RingReader reader(ring.memory());
  Checksum sum;
  Buffer buffer;
  for (std::size_t got = 0; got < total && !reader.violated(); got += buffer.size()) {
    buffer.clear();
    while (reader.read(buffer) == Read::empty) std::this_thread::yield();
    sum.add(buffer);
  }
  sender.join();
  CHECK(sum.value() == sent_sum);
}

TEST_CASE("64 MiB stream from another process through a ring of 64 KiB") {
  stream_from_child(64 << 20, 50'000);
}

TEST_CASE("A stream whose ends always sleep loses no wake-up") { stream_from_child(16 << 20, 0); }
