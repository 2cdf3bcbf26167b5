// A ring in this process's own memory, its data between two pages that must not be touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>

#include "ipc/ring.hpp"

namespace bulkhead::test {

class OwnRing {
 public:
  static constexpr std::size_t capacity = 4096;  // a page

  OwnRing() : pages_(::mmap(nullptr, 3 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (pages_ == MAP_FAILED) throw std::runtime_error("cannot map three pages");
    if (::mprotect(data(), capacity, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("cannot open the page in the middle");
  }
  OwnRing(const OwnRing&) = delete;
  OwnRing& operator=(const OwnRing&) = delete;
  ~OwnRing() { ::munmap(pages_, 3 * capacity); }

  std::byte* data() const { return static_cast<std::byte*>(pages_) + capacity; }
  ipc::RingControl& control() { return *control_; }
  ipc::RingMemory memory() { return {control_.get(), data(), capacity}; }

  void put_header(std::uint64_t position, ipc::FrameHeader header) {
    std::memcpy(data() + position % capacity, &header, sizeof header);
  }

 private:
  void* pages_;
  std::unique_ptr<ipc::RingControl> control_ = std::make_unique<ipc::RingControl>();
};

// Bytes that differ from their neighbours and from those of other seeds.
inline ipc::Buffer bytes(std::size_t size, unsigned seed = 0) {
  ipc::Buffer made(size);
  std::minstd_rand random(seed + 1);
  for (std::byte& one : made) one = static_cast<std::byte>(random() >> 8);
  return made;
}

// The sum of a stream, whatever pieces it is added in.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte one : bytes)
      value_ = (value_ ^ static_cast<std::uint64_t>(one)) * 0x100'0000'01b3;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

}  // namespace bulkhead::test
