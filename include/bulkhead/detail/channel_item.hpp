// The items of a channel, packed; and its ends as parts of other values.
#pragma once

#include <memory>
#include <utility>

#include "bulkhead/detail/channel_end.hpp"
#include "bulkhead/detail/codec.hpp"
#include "bulkhead/detail/refused.hpp"

namespace bulkhead::detail {

template <class T>
void pack_item(Buffer& packed, const T& item) {
  packed.clear();
  encode(packed, item);
}

// What is kept for the next item.
inline void drop_if_large(Buffer& packed) {
  constexpr std::size_t large = std::size_t{64} << 10;
  if (packed.capacity() > large) packed = {};
}

// `end`: that it came from, if it is still there.
template <class T>
T unpack_item(const ChannelEnd* end, const Buffer& packed) {
  try {
    return decode<T>(packed);
  } catch (const Refused& refused) {
    if (end) end->refuse(refused.what());
    refuse_closed_end();
  }
}

// What the message calls it; 0: it is closed.
template <class End>
std::uint64_t write_end(ChannelCarrier* carrier, const End& end) {
  if (end.closed()) return 0;
  if (!carrier) refuse_to_carry_end();
  return carrier->attach_end(end.release());
}

inline std::shared_ptr<ChannelEnd> read_end(ChannelCarrier* carrier, std::uint64_t id, Side side) {
  if (id == 0) return nullptr;
  if (!carrier) throw Refused("an end of a channel came where there can be none");
  return carrier->resolve_end(id, side);
}

}  // namespace bulkhead::detail
