// What Bytes are made of, and how they travel, seen from templates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bulkhead/detail/export.hpp"

namespace bulkhead {

class Bytes;
class MutableBytes;

namespace detail {

class ChannelCarrier;

// Memory that its last owner gives back: this process's own, or shared with others.
class BULKHEAD_API BytesMemory {
 public:
  BytesMemory(std::byte* at, std::size_t bytes) : data(at), capacity(bytes) {}
  virtual ~BytesMemory() = default;
  BytesMemory(const BytesMemory&) = delete;
  BytesMemory& operator=(const BytesMemory&) = delete;

  // Whether it can be passed to another process by a handle.
  virtual bool shared() const noexcept { return false; }

  std::byte* const data;
  const std::size_t capacity;
};

// Where a Bytes is that travels beside its message.
struct BytesHandle {
  enum Maker : std::uint8_t { none = 0, app, worker };
  Maker maker = none;
  std::uint64_t id = 0;  // as its maker counts them, from 1
  std::uint64_t size = 0;
};

// Carries Bytes beside the message that is packed or unpacked.
class BytesCarrier {
 public:
  virtual ~BytesCarrier() = default;
  // Empty: they travel in the message. `at`: where the handle will be in it.
  virtual std::optional<BytesHandle> attach(const Bytes& bytes, std::size_t at) = 0;
  // Throws Refused for a handle of nothing that was passed.
  virtual Bytes resolve(const BytesHandle& handle) = 0;

  // The same for a large block of a value, which its reader copies. Memory to pack it into, for
  // attach() then; empty: there is none, and it travels in the message.
  virtual MutableBytes make_block(std::size_t size) = 0;
  // Each once in a message, so that a forged one costs no more memory than its writer has taken.
  virtual Bytes resolve_block(const BytesHandle& handle) = 0;

  // Null: no ends of channels can go along.
  virtual ChannelCarrier* channels() { return nullptr; }
};

// Copying a block through the ring costs less than naming its memory, below this size.
inline constexpr std::size_t block_beside_from = std::size_t{256} << 10;

// What a block beside a message adds to its size: as much as one within it.
constexpr std::size_t size_beside(std::size_t block) {
  return block - sizeof(std::uint8_t) - sizeof(BytesHandle::id) - sizeof(BytesHandle::size);
}

// The same in a handler, which may make some.
class HandlerBytes : public BytesCarrier {
 public:
  virtual MutableBytes make_bytes(std::size_t size) = 0;
};

}  // namespace detail
}  // namespace bulkhead
