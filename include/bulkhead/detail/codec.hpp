// Values to bytes and back. encode() and decode() throw Refused, and what a type's own serialize()
// throws; the bytes may come from a hostile process. A carrier takes Bytes beside the frame.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/std_types.hpp"

CEREAL_SETUP_ARCHIVE_TRAITS(bulkhead::detail::Decoder, bulkhead::detail::Encoder)

namespace bulkhead::detail {

// Appends `value` to `out`, which stays as it was if this throws.
template <class T>
void encode(Buffer& out, const T& value, BytesCarrier* carrier = nullptr) {
  const std::size_t before = out.size();
  try {
    Encoder(out, carrier)(value);
  } catch (...) {
    out.resize(before);
    throw;
  }
}

// `frame` holds one value and nothing else. After a throw, parts of `value` may have been read.
template <class T>
void decode(std::span<const std::byte> frame, T& value, BytesCarrier* carrier = nullptr) {
  Decoder decoder(frame, carrier);
  decoder(value);
  decoder.finish();
}

// The frame of no value (void) is empty.
template <class T>
T decode(std::span<const std::byte> frame, BytesCarrier* carrier = nullptr) {
  if constexpr (std::is_void_v<T>) {
    Decoder{frame}.finish();
  } else {
    T value{};
    decode(frame, value, carrier);
    return value;
  }
}

}  // namespace bulkhead::detail
