// Bytes: in the message, or a handle of memory that both sides have.
#pragma once

#include <cstring>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/decoder.hpp"
#include "bulkhead/detail/encoder.hpp"

namespace bulkhead::detail {

template <>
struct Codec<Bytes> {
  static void write(Encoder& encoder, const Bytes& value) {
    if (encoder.attach(value)) return;
    encoder(static_cast<std::uint8_t>(BytesHandle::none));
    encoder.inline_block(value.size(), value.data(), value.size());
  }
  static void read(Decoder& decoder, Bytes& value) {
    if (auto attached = decoder.attached())
      value = *std::move(attached);
    else
      value = read_inline(decoder.inline_block("bytes", 1));
  }
  static Bytes read_inline(std::span<const std::byte> bytes) {
    if (bytes.empty()) return {};
    MutableBytes copy = make_own_bytes(bytes.size());
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
  }
};

}  // namespace bulkhead::detail
