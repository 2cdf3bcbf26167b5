#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "ipc/own_ring.hpp"

namespace {

using namespace bulkhead::ipc;
using bulkhead::test::bytes;
using bulkhead::test::OwnRing;

struct BothEnds {
  OwnRing ring = {};
  RingWriter writer{ring.memory()};
  RingReader reader{ring.memory()};

  Read read(Buffer& out) {
    out.clear();
    return reader.read(out);
  }
};

}  // namespace

TEST_CASE("Frames of every size arrive whole, at every place of the ring") {
  BothEnds ends;
  Buffer got;
  for (unsigned round = 0; round < 3; ++round)
    for (std::size_t size = 0; size <= ends.writer.largest_payload(); ++size) {
      const Buffer sent = bytes(size, round);
      REQUIRE(ends.writer.try_write(sent, {}) == Write::done);
      REQUIRE(ends.read(got) == Read::frame);
      REQUIRE(got == sent);
      REQUIRE(ends.read(got) == Read::empty);
    }
}

TEST_CASE("The largest frame wraps at every place where one can begin") {
  for (std::size_t before = 0; before < OwnRing::capacity / cache_line; ++before) {
    BothEnds ends;
    Buffer got;
    for (std::size_t i = 0; i < before; ++i) {
      REQUIRE(ends.writer.try_write({}, {}) == Write::done);
      REQUIRE(ends.read(got) == Read::frame);
    }
    const Buffer sent = bytes(ends.writer.largest_payload());
    REQUIRE(ends.writer.try_write(sent, {}) == Write::done);
    REQUIRE(ends.read(got) == Read::frame);
    REQUIRE(got == sent);
  }
}

TEST_CASE("A payload may be given as a head and a body, cut anywhere") {
  BothEnds ends;
  Buffer got;
  const Buffer sent = bytes(300);
  for (std::size_t cut = 0; cut <= sent.size(); ++cut) {
    const auto whole = std::span(sent);
    REQUIRE(ends.writer.try_write(whole.first(cut), whole.subspan(cut)) == Write::done);
    REQUIRE(ends.read(got) == Read::frame);
    REQUIRE(got == sent);
  }
}

TEST_CASE("A full ring refuses, loses nothing, and takes more once it was read") {
  BothEnds ends;
  unsigned written = 0;
  while (ends.writer.try_write(bytes(100, written), {}) == Write::done) ++written;
  REQUIRE(written == OwnRing::capacity / 128);
  CHECK(ends.writer.room() == 0);
  CHECK_FALSE(ends.writer.has_room(0));
  CHECK(ends.writer.try_write({}, {}) == Write::full);

  Buffer got;
  for (unsigned read = 0; read < written; ++read) {
    REQUIRE(ends.read(got) == Read::frame);
    REQUIRE(got == bytes(100, read));
    REQUIRE(ends.writer.room() ==
            std::min<std::size_t>(128 * (read + 1) - 8, ends.writer.largest_payload()));
  }
  CHECK(ends.read(got) == Read::empty);
}

TEST_CASE("A frame that is too large for its ring is refused before anything is sent") {
  BothEnds ends;
  const Buffer large = bytes(ends.writer.largest_payload());
  const Buffer one = bytes(1);
  CHECK_THROWS_AS(ends.writer.try_write(one, large), std::length_error);
  CHECK_FALSE(ends.reader.ready());
  CHECK(ends.writer.try_write({}, large) == Write::done);
}

TEST_CASE("A message in several frames is joined") {
  BothEnds ends;
  const Buffer sent = bytes(2500);
  const auto whole = std::span(sent);
  REQUIRE(ends.writer.try_write(whole.first(1000), {}, more) == Write::done);
  REQUIRE(ends.writer.try_write(whole.subspan(1000, 1000), {}, more) == Write::done);
  REQUIRE(ends.writer.try_write(whole.subspan(2000), {}) == Write::done);
  Buffer got;
  CHECK(ends.reader.read(got) == Read::part);
  CHECK(ends.reader.read(got) == Read::part);
  CHECK(ends.reader.read(got) == Read::frame);
  CHECK(got == sent);
}

TEST_CASE("A writer that dies before it has published a frame leaves no part of it") {
  for (const std::size_t before : {std::size_t{0}, OwnRing::capacity - 512}) {
    for (std::size_t quarter = 0; quarter <= 4; ++quarter) {
      BothEnds ends;
      ends.ring.control().head = ends.ring.control().tail = 0;
      Buffer got;
      for (std::size_t at = 0; at < before; at += cache_line) {
        REQUIRE(ends.writer.try_write({}, {}) == Write::done);
        REQUIRE(ends.read(got) == Read::frame);
      }
      const std::uint64_t published = ends.ring.control().tail;
      const Buffer sent = bytes(ends.writer.largest_payload());
      REQUIRE(ends.writer.try_write(std::span(sent).first(sent.size() * quarter / 4), {}) ==
              Write::done);
      ends.ring.control().tail = published;
      CHECK(ends.read(got) == Read::empty);
      CHECK(got.empty());
    }
  }
}

TEST_CASE("What lies between frames tells the peer nothing") {
  BothEnds ends;
  const Buffer one(1, std::byte{0xff});
  REQUIRE(ends.writer.try_write(one, {}) == Write::done);
  const auto after =
      std::span(ends.ring.data(), OwnRing::capacity).subspan(sizeof(FrameHeader) + 1);
  CHECK(std::all_of(after.begin(), after.end(), [](std::byte b) { return b == std::byte{}; }));
}

TEST_CASE("A reader that sleeps first is woken, once") {
  BothEnds ends;
  REQUIRE_FALSE(ends.reader.prepare_sleep());
  REQUIRE(ends.writer.try_write({}, {}) == Write::done);
  CHECK(ends.writer.must_wake_reader());
  REQUIRE(ends.writer.try_write({}, {}) == Write::done);
  CHECK_FALSE(ends.writer.must_wake_reader());
}

TEST_CASE("A reader that looks once more sees what came before it slept") {
  BothEnds ends;
  REQUIRE_FALSE(ends.reader.ready());  // it decides to sleep ...
  REQUIRE(ends.writer.try_write({}, {}) == Write::done);
  CHECK_FALSE(ends.writer.must_wake_reader());  // ... and the writer does not know yet
  CHECK(ends.reader.prepare_sleep());
  CHECK_FALSE(ends.writer.must_wake_reader());  // it has not slept after all
}

TEST_CASE("A reader that gave up sleeping is not woken") {
  BothEnds ends;
  REQUIRE_FALSE(ends.reader.prepare_sleep());
  ends.reader.cancel_sleep();
  REQUIRE(ends.writer.try_write({}, {}) == Write::done);
  CHECK_FALSE(ends.writer.must_wake_reader());
}

TEST_CASE("A writer that sleeps is woken once half of the ring is free, once") {
  BothEnds ends;
  Buffer got;
  while (ends.writer.try_write(bytes(56), {}) == Write::done) {
  }
  REQUIRE_FALSE(ends.writer.prepare_sleep(ends.writer.largest_payload()));
  for (std::size_t freed = cache_line; freed < OwnRing::capacity / 2; freed += cache_line) {
    REQUIRE(ends.read(got) == Read::frame);
    REQUIRE_FALSE(ends.reader.must_wake_writer());
  }
  REQUIRE(ends.read(got) == Read::frame);
  CHECK(ends.reader.must_wake_writer());
  CHECK(ends.writer.has_room(ends.writer.largest_payload()));
  REQUIRE(ends.read(got) == Read::frame);
  CHECK_FALSE(ends.reader.must_wake_writer());
}

TEST_CASE("A writer that looks once more sees the room that came before it slept") {
  BothEnds ends;
  Buffer got;
  while (ends.writer.try_write(bytes(56), {}) == Write::done) {
  }
  REQUIRE_FALSE(ends.writer.has_room(56));
  while (ends.read(got) == Read::frame) REQUIRE_FALSE(ends.reader.must_wake_writer());
  CHECK(ends.writer.prepare_sleep(56));
  CHECK(ends.writer.try_write(bytes(56), {}) == Write::done);
}
