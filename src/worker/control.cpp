#include "worker/control.hpp"

#include "bulkhead/detail/codec.hpp"

namespace bulkhead::worker {

namespace {

template <class Message>
std::vector<std::byte> packed(const Message& message) {
  detail::Buffer buffer;
  detail::encode(buffer, message);
  return {buffer.begin(), buffer.end()};
}

}  // namespace

std::vector<std::byte> pack(const Order& order) { return packed(order); }
std::vector<std::byte> pack(const Notice& notice) { return packed(notice); }
Order unpack_order(std::span<const std::byte> packet) { return detail::decode<Order>(packet); }
Notice unpack_notice(std::span<const std::byte> packet) { return detail::decode<Notice>(packet); }

}  // namespace bulkhead::worker
