#include "ipc/channel_memory.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace bulkhead::ipc {

namespace {

constexpr std::uint64_t page = 4096;
static_assert(sizeof(ChannelControl) <= page);

constexpr std::uint64_t smallest_ring = std::uint64_t{64} << 10;
constexpr std::uint64_t largest_ring = std::uint64_t{1} << 20;
constexpr std::uint64_t small_item = 256;

}  // namespace

std::uint64_t ChannelMemory::ring_bytes(std::uint64_t capacity) {
  const std::uint64_t items = std::min(capacity, largest_ring / small_item);
  return std::max(smallest_ring, std::bit_ceil(items * small_item));
}

std::pair<ChannelMemory, platform::Fd> ChannelMemory::make(std::uint64_t ring_bytes) {
  platform::Fd file = platform::make_memory_file(page + ring_bytes);
  platform::seal_size(file);
  ChannelMemory memory = adopt(file, ring_bytes);
  ::new (&memory.control()) ChannelControl{};
  return {std::move(memory), std::move(file)};
}

ChannelMemory ChannelMemory::adopt(const platform::Fd& file, std::uint64_t ring_bytes) {
  return ChannelMemory(platform::Mapping(file, page + ring_bytes, platform::Access::write));
}

RingMemory ChannelMemory::ring() const {
  return {&control().ring, mapping_.data() + page, mapping_.size() - page};
}

}  // namespace bulkhead::ipc
