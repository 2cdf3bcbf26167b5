// What a hostile worker does with its own segment, found in its memory map: it writes behind the
// library's back.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "ipc/segment.hpp"
#include "rpc/wire.hpp"

namespace bulkhead::test {

class OwnSegment {
 public:
  // Finds it. Throws std::runtime_error if there is none.
  OwnSegment();

  ipc::RingControl& requests() const { return preamble().to_worker; }
  ipc::RingControl& answers() const { return preamble().to_app; }
  std::span<std::uint64_t> slots() const;
  std::span<std::uint64_t> answer_data() const;
  std::span<std::uint64_t> everything() const;
  std::span<std::uint64_t> crash_note() const;

  // Publishes one frame, whatever it is.
  void publish(std::span<const std::byte> payload, std::uint32_t flags = 0) const;
  // The head of the answer to the call that this worker has begun.
  rpc::Head head_of_answer(std::uint64_t id, std::uint32_t request) const;

 private:
  struct Preamble {  // as ipc/segment.cpp lays it out
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t slots;
    std::uint64_t ring_bytes;
    ipc::Hints hints;
    ipc::RingControl to_worker;
    ipc::RingControl to_app;
  };
  Preamble& preamble() const { return *reinterpret_cast<Preamble*>(begin_); }

  std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t slots_ = 0, ring_bytes_ = 0;  // as they were when it was found
};

// The descriptors of this process that are sockets of a type: streams are doorbells.
std::vector<int> own_sockets(int wanted = SOCK_STREAM);

}  // namespace bulkhead::test
