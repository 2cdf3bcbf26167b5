// The shared memory of a channel between two processes: one ring, and a few words beside it. A file
// without a name, whose size is sealed. Both processes write, and so either may punch holes, which
// read as zeros: a touch of it is SIGBUS only where memory is never overcommitted and there is
// none.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "ipc/ring_memory.hpp"
#include "platform/memory_file.hpp"

namespace bulkhead::ipc {

// Words, as of RingControl: each on the cache line of the one who writes it all the time; those of
// the last change seldom.
struct ChannelControl {
  RingControl ring;
  // The receiver's: items that it has taken since the channel was made.
  alignas(cache_line) std::atomic<std::uint64_t> taken;
  // How each side has left, if it has: a Leave.
  alignas(cache_line) std::atomic<std::uint32_t> sender_left;
  std::atomic<std::uint32_t> receiver_left;
  // Set by the sender when it is about to sleep, cleared by whoever is going to ring for it.
  std::atomic<std::uint32_t> sender_sleeps;
  // Hints, as a segment's.
  std::atomic<std::uint32_t> sender_core, receiver_core;
};

enum class Leave : std::uint32_t {
  not_yet = 0,
  closed,  // of its own will
  broken,  // what it passes on has ended before its end
};

class ChannelMemory {
 public:
  // With a ring for so many small items, within bounds. std::system_error when there is no memory.
  static std::uint64_t ring_bytes(std::uint64_t capacity);
  // And the file, to be passed to the other process.
  static std::pair<ChannelMemory, platform::Fd> make(std::uint64_t ring_bytes);
  // What another process made: for those who trust it.
  static ChannelMemory adopt(const platform::Fd& file, std::uint64_t ring_bytes);

  ChannelControl& control() const { return *reinterpret_cast<ChannelControl*>(mapping_.data()); }
  RingMemory ring() const;

 private:
  explicit ChannelMemory(platform::Mapping mapping) : mapping_(std::move(mapping)) {}

  platform::Mapping mapping_;
};

}  // namespace bulkhead::ipc
