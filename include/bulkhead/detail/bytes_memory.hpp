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
};

// The same in a handler, which may make some.
class HandlerBytes : public BytesCarrier {
 public:
  virtual MutableBytes make_bytes(std::size_t size) = 0;
};

}  // namespace detail
}  // namespace bulkhead
