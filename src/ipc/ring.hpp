// The two ends of a ring: a single writer and a single reader, usually in two processes.
//
// Neither trusts the other. Each keeps its own position in private memory and only publishes it;
// each word of the peer's is loaded once, checked, then used; a frame is copied out before anyone
// looks into it. What cannot be is a violation, which stays: the end does nothing any more.
// A peer that dies at any moment leaves whole frames only: a frame counts once it is published.
//
// Neither end makes system calls. One that is about to sleep says so and then looks once more; the
// other publishes and then looks whether it must wake it. All four are sequentially consistent, so
// in their single order one of the two sees the other, and no wake-up is lost. A reader does so
// only each time that it has read half of the ring: a writer sleeps with more than that before it.
//
// An end is for one thread at a time. The ring must remain mapped while its ends live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bulkhead/detail/buffer.hpp"
#include "ipc/ring_memory.hpp"

namespace bulkhead::ipc {

using Buffer = detail::Buffer;

enum class Write {
  done,
  full,       // no room for this frame now
  violation,  // the reader broke the rules
};

class RingWriter {
 public:
  explicit RingWriter(RingMemory ring) : ring_(ring) {}

  std::size_t largest_payload() const { return ipc::largest_payload(ring_.capacity); }
  // The largest payload that fits now.
  std::size_t room();
  // Whether a frame with this payload fits now. Never after a violation.
  bool has_room(std::size_t payload);

  // Whether a whole message of this size does, in as many frames as it takes.
  bool has_room_for_message(std::size_t size);

  // Writes and publishes one frame with the payload `head` then `body`. `flags`: 0 or `more`.
  // Together they must not exceed largest_payload(): std::length_error.
  [[nodiscard]] Write try_write(std::span<const std::byte> head, std::span<const std::byte> body,
                                std::uint32_t flags = 0);
  // After writing: where the reader sleeps, if it does, once for each sleep. The caller then rings.
  [[nodiscard]] std::optional<Ear> must_wake_reader();

  // Before sleeping until a frame of `payload` bytes has room. True if there is no need to sleep:
  // it has room already, or the ring is violated. The reader wakes it each time that it has read
  // half of the ring: then there is room for any frame, as a rule.
  [[nodiscard]] bool prepare_sleep(std::size_t payload);
  void cancel_sleep();

  bool violated() const { return violated_; }

 private:
  std::uint64_t free() const { return ring_.capacity - (tail_ - head_); }
  void load_head();
  void copy_in(std::uint64_t position, std::span<const std::byte> bytes);

  RingMemory ring_;
  std::uint64_t tail_ = 0;
  std::uint64_t head_ = 0;  // as last seen
  bool violated_ = false;
};

enum class Read {
  empty,
  part,       // a frame whose message the next frame continues
  frame,      // a frame that ends its message
  violation,  // the writer broke the rules
};

class RingReader {
 public:
  explicit RingReader(RingMemory ring) : ring_(ring) {}

  // Appends the payload of the next frame to `out`, and gives its room back. Appending joins the
  // parts of a message: its size is the caller's to limit, between frames.
  [[nodiscard]] Read read(Buffer& out);
  // After reading: true if the writer sleeps and half of the ring was read since this was told
  // before. The caller then rings.
  [[nodiscard]] bool must_wake_writer() { return tells_room_ && take_sleeping_writer(); }

  // Whether read() has something to say.
  [[nodiscard]] bool ready();

  // Before sleeping until a frame comes. True if there is no need to sleep: ready().
  [[nodiscard]] bool prepare_sleep(Ear ear = Ear::usual);
  void cancel_sleep();

  bool violated() const { return violated_; }

 private:
  bool take_sleeping_writer();
  void load_tail();
  FrameHeader load_header() const;
  void copy_out(std::uint64_t position, std::size_t size, Buffer& out) const;

  RingMemory ring_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;  // as last seen
  std::uint64_t told_ = 0;  // `head_` when a writer that sleeps was last looked for
  bool tells_room_ = false;
  bool violated_ = false;
};

}  // namespace bulkhead::ipc
