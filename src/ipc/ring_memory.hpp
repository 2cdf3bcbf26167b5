// The shared part of a ring: what its writer and its reader agree on, byte for byte.
//
// A ring has a control block and `capacity` bytes of data, a power of two. Positions count the
// bytes since the ring was made; position p lies at data[p % capacity]. [head, tail) holds frames:
//
//   frame   = header payload padding      begins on a cache line, so that a header never wraps
//   header  = size u32, flags u32         the payload's size; `frame_mark`, perhaps with `more`
//   payload = `size` bytes                may wrap
//   padding = to the next cache line      holds what was there before
//
// A whole frame takes at most a quarter of the ring: longer messages go as several frames, so that
// one side copies in while the other copies out. Memory that is zero, as after someone punched a
// hole into it, is no frame.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bulkhead::ipc {

inline constexpr std::size_t cache_line = 64;

// Where one who sleeps hears that it is rung for.
enum class Ear : std::uint32_t {
  usual = 1,   // a worker, or the app's reactor
  direct = 2,  // a thread of the app that waits for an answer by itself
};

// Only numbers: whoever maps it may die, or write nonsense, at any instruction. Each word is on the
// cache line of the one who writes it all the time; the last two change only when someone sleeps.
struct RingControl {
  alignas(cache_line) std::atomic<std::uint64_t> tail;  // the writer's: end of what is published
  alignas(cache_line) std::atomic<std::uint64_t> head;  // the reader's: end of what is consumed
  // The Ear of its owner once that is about to sleep, back to 0 by whoever is going to ring for it.
  alignas(cache_line) std::atomic<std::uint32_t> reader_sleeps;
  std::atomic<std::uint32_t> writer_sleeps;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(RingControl) == 3 * cache_line);

// Where a ring is mapped in this process. The capacity is our own copy, never the peer's word.
struct RingMemory {
  RingControl* control = nullptr;
  std::byte* data = nullptr;  // on a cache line
  std::uint64_t capacity = 0;
};

struct FrameHeader {
  std::uint32_t size = 0;
  std::uint32_t flags = 0;
};
static_assert(sizeof(FrameHeader) == 8);

inline constexpr std::uint32_t frame_mark = 0xB01D'0000;
inline constexpr std::uint32_t more = 1;  // the next frame continues this one's message

constexpr std::uint64_t framed_size(std::uint64_t payload) {
  return (sizeof(FrameHeader) + payload + cache_line - 1) / cache_line * cache_line;
}
constexpr std::uint64_t largest_payload(std::uint64_t capacity) {
  return capacity / 4 - sizeof(FrameHeader);
}
// A message in full frames, and one with the rest.
constexpr std::uint64_t framed_message(std::uint64_t size, std::uint64_t capacity) {
  const std::uint64_t most = largest_payload(capacity);
  return size <= most ? framed_size(size)
                      : (size - 1) / most * framed_size(most) + framed_size((size - 1) % most + 1);
}

}  // namespace bulkhead::ipc
