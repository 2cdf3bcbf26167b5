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
    const BytesHandle handle = encoder.attach(value).value_or(BytesHandle{});
    encoder(static_cast<std::uint8_t>(handle.maker));
    if (handle.maker != BytesHandle::none) {
      encoder(handle.id, handle.size);
    } else {
      encoder.count(value.size());
      encoder.block(value.data(), value.size());
    }
  }
  static void read(Decoder& decoder, Bytes& value) {
    std::uint8_t maker = 0;
    decoder(maker);
    if (maker > BytesHandle::worker)
      throw Refused("a handle of bytes names maker " + std::to_string(maker));
    if (maker == BytesHandle::none) {
      value = read_inline(decoder.block("bytes", 1));
    } else {
      BytesHandle handle{static_cast<BytesHandle::Maker>(maker)};
      decoder(handle.id, handle.size);
      value = decoder.resolve(handle);
    }
  }
  static Bytes read_inline(std::span<const std::byte> bytes) {
    if (bytes.empty()) return {};
    MutableBytes copy = make_own_bytes(bytes.size());
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
  }
};

}  // namespace bulkhead::detail
