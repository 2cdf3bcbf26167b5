// A peer that writes anything into the memory that it shares with us.
#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "ipc/looping_child.hpp"
#include "ipc/own_ring.hpp"
#include "ipc/segment.hpp"

namespace {

using namespace bulkhead::ipc;
using bulkhead::test::OwnRing;

constexpr std::uint64_t capacity = OwnRing::capacity;
constexpr std::uint32_t largest = largest_payload(capacity);

// A ring whose writer has written, and whose reader has read, up to `position`.
struct At {
  OwnRing ring = {};
  RingWriter writer{ring.memory()};
  RingReader reader{ring.memory()};
  Buffer got = {};

  explicit At(std::uint64_t position) {
    for (std::uint64_t at = 0; at < position; at += cache_line) {
      REQUIRE(writer.try_write({}, {}) == Write::done);
      REQUIRE(reader.read(got) == Read::frame);
    }
  }
};

}  // namespace

// Fault hostile.memory
TEST_CASE("A tail that cannot be is a violation") {
  constexpr std::uint64_t head = 2 * capacity - 128;
  struct Row {
    std::uint64_t tail;
    Read expected;
  };
  const auto row = GENERATE(values<Row>({
      {head, Read::empty},
      {head + 64, Read::frame},
      {head + capacity, Read::frame},
      {head + capacity + 64, Read::violation},
      {head + capacity + 1, Read::violation},
      {head + capacity - 1, Read::violation},
      {head + 1, Read::violation},
      {head + 8, Read::violation},
      {head + 63, Read::violation},
      {head + 65, Read::violation},
      {head - 64, Read::violation},
      {head - 1, Read::violation},
      {head - capacity, Read::violation},
      {0, Read::violation},
      {head + (std::uint64_t{1} << 32), Read::violation},
      {head + (std::uint64_t{1} << 63), Read::violation},
      {std::numeric_limits<std::uint64_t>::max(), Read::violation},
      {std::numeric_limits<std::uint64_t>::max() - 63, Read::violation},
  }));
  CAPTURE(row.tail);
  At at(head);
  at.ring.put_header(head, {0, frame_mark});
  at.ring.control().tail = row.tail;
  CHECK(at.reader.ready() == (row.expected != Read::empty));
  CHECK(at.reader.read(at.got) == row.expected);
  CHECK(at.reader.violated() == (row.expected == Read::violation));
}

// Fault hostile.memory
TEST_CASE("A frame header that cannot be is a violation") {
  constexpr std::uint32_t max = std::numeric_limits<std::uint32_t>::max();
  struct Row {
    std::uint64_t used;
    FrameHeader header;
    Read expected;
  };
  const auto row = GENERATE(values<Row>({
      {capacity, {0, frame_mark}, Read::frame},
      {capacity, {1, frame_mark | more}, Read::part},
      {capacity, {largest - 1, frame_mark}, Read::frame},
      {capacity, {largest, frame_mark}, Read::frame},
      {capacity, {largest + 1, frame_mark}, Read::violation},
      {capacity, {capacity - 8, frame_mark}, Read::violation},
      {capacity, {capacity, frame_mark}, Read::violation},
      {capacity, {max, frame_mark}, Read::violation},
      {capacity, {max - 7, frame_mark}, Read::violation},
      {capacity, {max - 71, frame_mark}, Read::violation},
      {capacity, {1u << 31, frame_mark}, Read::violation},
      {64, {55, frame_mark}, Read::frame},
      {64, {56, frame_mark}, Read::frame},
      {64, {57, frame_mark}, Read::violation},
      {128, {120, frame_mark}, Read::frame},
      {128, {121, frame_mark}, Read::violation},
      {64, {0, 0}, Read::violation},  // a hole punched into the memory
      {64, {0, more}, Read::violation},
      {64, {0, frame_mark | 2}, Read::violation},
      {64, {0, frame_mark | 0x8000}, Read::violation},
      {64, {0, frame_mark ^ 0x1'0000}, Read::violation},
      {64, {0, max}, Read::violation},
  }));
  CAPTURE(row.used, row.header.size, row.header.flags);
  constexpr std::uint64_t head = capacity - 64;
  At at(head);
  at.got.clear();
  at.ring.put_header(head, row.header);
  at.ring.control().tail = head + row.used;
  CHECK(at.reader.read(at.got) == row.expected);
  CHECK(at.got.size() == (row.expected == Read::violation ? 0 : row.header.size));
}

// Fault hostile.memory
TEST_CASE("A head that cannot be is a violation") {
  constexpr std::uint64_t head = 3 * capacity, tail = head + capacity;  // full
  struct Row {
    std::uint64_t head;
    Write expected;
  };
  const auto row = GENERATE(values<Row>({
      {head, Write::full},
      {head + 64, Write::done},
      {tail, Write::done},
      {tail + 64, Write::violation},
      {tail + 1, Write::violation},
      {tail - 1, Write::violation},
      {head + 1, Write::violation},
      {head + 63, Write::violation},
      {head - 64, Write::violation},
      {head - 1, Write::violation},
      {head - capacity, Write::violation},
      {0, Write::violation},
      {head + (std::uint64_t{1} << 63), Write::violation},
      {std::numeric_limits<std::uint64_t>::max(), Write::violation},
  }));
  CAPTURE(row.head);
  At at(head);
  CHECK(at.writer.room() == largest);  // it has seen this head
  while (at.writer.try_write({}, {}) == Write::done) {
  }
  at.ring.control().head = row.head;
  CHECK(at.writer.try_write({}, {}) == row.expected);
  CHECK(at.writer.violated() == (row.expected == Write::violation));
}

// Fault hostile.memory
TEST_CASE("A head that moves backwards is a violation, also where it would fit") {
  constexpr std::uint64_t head = capacity;
  At at(head);
  REQUIRE(at.writer.room() == largest);
  at.ring.control().head = head - 64;
  CHECK(at.writer.room() == 0);
  CHECK(at.writer.violated());
}

// Fault hostile.memory
TEST_CASE("A violation is not forgotten when the memory looks right again") {
  At at(64);
  const std::uint64_t right = at.ring.control().tail;
  at.ring.control().tail = right - 64;
  REQUIRE(at.reader.read(at.got) == Read::violation);
  at.ring.control().tail = right;
  CHECK(at.reader.read(at.got) == Read::violation);
  CHECK(at.reader.prepare_sleep());

  at.ring.control().head = right + 64;
  REQUIRE(at.writer.room() == 0);
  at.ring.control().head = right;
  CHECK(at.writer.try_write({}, {}) == Write::violation);
  CHECK(at.writer.prepare_sleep(0));
}

// Fault hostile.memory
TEST_CASE("A million random words and headers never lead outside of the ring") {
  OwnRing ring;
  std::mt19937_64 random(20240229);
  RingReader reader(ring.memory());
  RingWriter writer(ring.memory());
  Buffer got;
  const Buffer sent(64);
  std::uint64_t frames = 0, violations = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    // Half of the words lie near to what is right, where mistakes would be.
    const std::uint64_t near = (random() % 80) * 64 + (random() % 8 == 0 ? random() % 64 : 0);
    ring.control().tail = random() % 2 ? ring.control().head + near : random();
    if (random() % 4 == 0) ring.control().head = ring.control().tail - near;
    const auto size = static_cast<std::uint32_t>(random() % 2 ? random() % 1100 : random());
    const std::uint32_t flags = frame_mark | static_cast<std::uint32_t>(random() % 3);
    for (std::uint64_t at = 0; at < capacity; at += 512) ring.put_header(at, {size, flags});

    got.clear();
    const Read read = reader.read(got);
    const Write written = writer.try_write(sent, {});
    REQUIRE(got.size() <= largest);
    frames += read == Read::frame || read == Read::part;
    violations += read == Read::violation;
    if (read == Read::violation || written == Write::violation) {
      reader = RingReader(ring.memory());
      writer = RingWriter(ring.memory());
      ring.control().head = ring.control().tail = 0;
    }
  }
  CHECK(frames > 10'000);
  CHECK(violations > 10'000);
}

// Fault hostile.memory
TEST_CASE("A peer that scribbles while we read and write harms only itself") {
  const Segment segment = Segment::create({.slots = 8, .ring_bytes = 4096});
  std::minstd_rand random(7);
  const std::array<RingMemory, 2> rings{segment.to_app(), segment.to_worker()};
  const bulkhead::test::LoopingChild scribbler([&] {
    for (const RingMemory& ring : rings) {
      ring.control->tail = random() % 3 ? ring.control->head + random() % 70 * 64 : random();
      ring.control->head = random() % 3 ? ring.control->tail - random() % 70 * 64 : random();
      const FrameHeader header{static_cast<std::uint32_t>(random() % 1100), frame_mark};
      std::memcpy(ring.data + random() % 64 * 64, &header, sizeof header);
    }
  });
  RingReader reader(segment.to_app());
  RingWriter writer(segment.to_worker());
  const Buffer sent(64);
  Buffer got;
  for (int i = 0; i < 300'000; ++i) {
    got.clear();
    (void)reader.read(got);
    (void)writer.try_write(sent, {});
    if (got.size() > largest) FAIL("a frame larger than any");
    if (reader.violated()) reader = RingReader(segment.to_app());
    if (writer.violated()) writer = RingWriter(segment.to_worker());
  }
}
