#pragma once

#include <cereal/cereal.hpp>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/nesting.hpp"
#include "bulkhead/detail/sendable.hpp"
#include "bulkhead/detail/versioned.hpp"
#include "bulkhead/detail/wire.hpp"

namespace bulkhead::detail {

// A cereal archive that appends a value's bytes to a buffer, as wire.hpp describes them.
// Types with a Codec never reach cereal, so its own support for them may be included or not.
class Encoder : public cereal::OutputArchive<Encoder, cereal::AllowEmptyClassElision> {
  using Cereal = cereal::OutputArchive<Encoder, cereal::AllowEmptyClassElision>;

 public:
  // Without a carrier, all Bytes travel in the message.
  explicit Encoder(Buffer& out, BytesCarrier* carrier = nullptr)
      : Cereal(this), out_(&out), carrier_(carrier) {}
  // The next value, once the one before is packed.
  void begin(Buffer& out, BytesCarrier* carrier) {
    out_ = &out;
    carrier_ = carrier;
    inner_ = 0;
  }

  template <class... Ts>
  Encoder& operator()(const Ts&... values) {
    (save_value(values), ...);
    return *this;
  }
  template <class T>
  Encoder& operator&(const T& value) {
    return (*this)(value);
  }
  template <class T>
  Encoder& operator<<(const T& value) {
    return (*this)(value);
  }

  // For codecs.

  void bytes(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t at = out_->size();
    out_->resize(at + size);
    std::memcpy(out_->data() + at, data, size);
  }

  // `elements` that become memory of their own, so they pay for no element around them.
  void block(std::size_t elements, const void* data, std::size_t size) {
    if (size < block_beside_from || !carrier_ || !block_beside(elements, data, size))
      inline_block(elements, data, size);
  }
  void inline_block(std::size_t elements, const void* data, std::size_t size) {
    count(elements);
    bytes(data, size);
    inner_ += size;
  }

  void count(std::size_t elements) {
    const std::uint64_t fixed = elements;
    bytes(&fixed, sizeof fixed);
  }

  // False: they are to be written here.
  bool attach(const Bytes& value) {
    const auto handle = carrier_ ? carrier_->attach(value, out_->size()) : std::nullopt;
    if (handle) (*this)(static_cast<std::uint8_t>(handle->maker), handle->id, handle->size);
    return handle.has_value();
  }

  // Null: no ends of channels can go along.
  ChannelCarrier* channels() const { return carrier_ ? carrier_->channels() : nullptr; }

  // One element, made of `parts`, padded until `floor` of its bytes are its own.
  template <class... Parts>
  void element(std::size_t floor, const Parts&... parts) {
    const std::size_t start = out_->size();
    const std::size_t outer = std::exchange(inner_, 0);
    (*this)(parts...);
    const std::size_t own = out_->size() - start - inner_;
    if (own < floor) out_->resize(out_->size() + floor - own, std::byte{0});
    inner_ = outer + (out_->size() - start);
  }

 private:
  template <class T>
  void save_value(const T& value) {
    if constexpr (!check_sendable<T>()) {
      return;
    } else if constexpr (OwnCodec<T>) {
      Codec<T>::write(*this, value);
    } else {
      const Nesting level(depth_);
      constexpr VersionedBy function = saved_by<Encoder, T>();
      if constexpr (function == VersionedBy::nothing) {
        Cereal::operator()(value);
      } else {
        save_versioned<function>(*this, value);
      }
    }
  }

  bool block_beside(std::size_t elements, const void* data, std::size_t size) {
    MutableBytes memory = carrier_->make_block(size);
    if (memory.size() == 0) return false;
    std::memcpy(memory.data(), data, size);
    count(elements | is_beside);
    if (attach(std::move(memory))) return true;
    out_->resize(out_->size() - sizeof(std::uint64_t));
    return false;
  }

  Buffer* out_;
  BytesCarrier* carrier_;
  std::size_t inner_ = 0;  // what the current element wrote for elements and blocks within it
  unsigned depth_ = 0;
};

}  // namespace bulkhead::detail
