// What a request carries beside its message.
#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/worker_set.hpp"

namespace bulkhead::detail {

std::optional<BytesHandle> RequestBytes::attach(const Bytes& bytes, std::size_t at) {
  if (!bytes.memory() || !bytes.memory()->shared()) return std::nullopt;
  call_.attachments.push_back({bytes, at});
  return BytesHandle{BytesHandle::app, 0, bytes.size()};
}

MutableBytes RequestBytes::make_block(std::size_t size) {
  MutableBytes block = workers_.make_block(size);
  if (block.size() != 0) call_.beside += size_beside(size);
  return block;
}

// Their numbers are the process's: no worker can take one of another's.
std::uint64_t RequestBytes::attach_end(std::shared_ptr<ChannelEnd> end) {
  static std::atomic<std::uint64_t> last = 0;
  call_.ends.push_back({++last, std::move(end)});
  return call_.ends.back().id;
}

std::shared_ptr<ChannelEnd> RequestBytes::resolve_end(std::uint64_t, Side) {
  throw Refused("a request that is packed has no channels to be read");
}

Bytes RequestBytes::resolve(const BytesHandle&) {
  throw Refused("a request that is packed has no bytes to be read");
}

}  // namespace bulkhead::detail
