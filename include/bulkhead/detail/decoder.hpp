#pragma once

#include <algorithm>
#include <cereal/cereal.hpp>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/nesting.hpp"
#include "bulkhead/detail/refused.hpp"
#include "bulkhead/detail/sendable.hpp"
#include "bulkhead/detail/versioned.hpp"
#include "bulkhead/detail/wire.hpp"

namespace bulkhead::detail {

// A cereal archive that makes values from bytes that a hostile peer may have written. It throws
// Refused for what no Encoder can have written, and checks each count before it allocates.
class Decoder : public cereal::InputArchive<Decoder, cereal::AllowEmptyClassElision> {
  using Cereal = cereal::InputArchive<Decoder, cereal::AllowEmptyClassElision>;

 public:
  explicit Decoder(std::span<const std::byte> frame, BytesCarrier* carrier = nullptr)
      : Cereal(this), rest_(frame), carrier_(carrier) {}
  // The next value, once the one before is there.
  void begin(std::span<const std::byte> frame, BytesCarrier* carrier) {
    rest_ = frame;
    carrier_ = carrier;
    claimed_ = inner_ = 0;
  }

  template <class... Ts>
  Decoder& operator()(Ts&&... values) {
    (load_value(values), ...);
    return *this;
  }
  template <class T>
  Decoder& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  Decoder& operator>>(T&& value) {
    return (*this)(value);
  }

  // A value is all that its frame holds.
  void finish() const {
    if (!rest_.empty()) throw Refused(std::to_string(rest_.size()) + " bytes follow the value");
  }

  // For codecs.

  std::span<const std::byte> bytes(std::size_t size) {
    if (size > rest_.size()) refuse_short(size);
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  void bytes(void* into, std::size_t size) {
    const auto taken = bytes(size);
    if (size != 0) std::memcpy(into, taken.data(), size);
  }

  // What came beside the message, if its handle is here.
  std::optional<Bytes> attached() {
    const auto handle = read_handle();
    if (handle.maker == BytesHandle::none) return std::nullopt;
    return carrier().resolve(handle);
  }

  ChannelCarrier* channels() const { return carrier_ ? carrier_->channels() : nullptr; }

  // What a `container` holds: as many values of `size` bytes as it declares. Beside the message
  // `memory` is what they lie in.
  struct Block {
    std::span<const std::byte> bytes;
    Bytes memory = {};
  };
  Block block(const char* container, std::size_t size) {
    const std::uint64_t elements = number();
    if (elements & is_beside) return block_beside(elements & ~is_beside, size);
    return {inline_block(elements, container, size)};
  }
  std::span<const std::byte> inline_block(const char* container, std::size_t size) {
    return inline_block(number(), container, size);
  }

  // How many elements a `container` declares. Their floors are set aside, so that no container
  // within them can declare the same bytes again; each element() then takes its own.
  std::size_t count(const char* container, std::size_t floor) {
    const std::size_t elements = declared(container, floor);
    claimed_ += elements * floor;
    return elements;
  }

  // The same for elements that a type's own functions read, which take what they take.
  std::size_t count_unclaimed(const char* container) { return declared(container, 1); }

  // Sets the floor of one element aside.
  void claim(std::size_t floor) {
    if (floor > unclaimed()) refuse_short(floor);
    claimed_ += floor;
  }

  // One element, the counterpart of Encoder::element.
  template <class... Parts>
  void element(std::size_t floor, Parts&... parts) {
    claimed_ -= floor;
    const std::size_t start = rest_.size();
    const std::size_t outer = std::exchange(inner_, 0);
    (*this)(parts...);
    const std::size_t own = start - rest_.size() - inner_;
    if (own < floor) bytes(floor - own);
    inner_ = outer + (start - rest_.size());
  }

 private:
  template <class T>
  void load_value(T& value) {
    if constexpr (!check_sendable<std::remove_const_t<T>>()) {
      return;
    } else if constexpr (OwnCodec<T>) {
      Codec<std::remove_const_t<T>>::read(*this, value);
    } else {
      const Nesting level(depth_);
      constexpr VersionedBy function = loaded_by<Decoder, T>();
      if constexpr (function == VersionedBy::nothing) {
        Cereal::operator()(value);
      } else {
        load_versioned<function>(*this, value);
      }
    }
  }

  std::size_t unclaimed() const { return rest_.size() - std::min(claimed_, rest_.size()); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    bytes(&value, sizeof value);
    return value;
  }

  std::size_t declared(const char* container, std::size_t least) {
    return checked(number(), container, least);
  }

  std::size_t checked(std::uint64_t elements, const char* container, std::size_t least) {
    if (elements > unclaimed() / least) {
      throw Refused(std::string(container) + " declares " + std::to_string(elements) +
                    " elements of at least " + std::to_string(least) + " bytes, " +
                    std::to_string(unclaimed()) + " are left");
    }
    return elements;
  }

  std::span<const std::byte> inline_block(std::uint64_t elements, const char* container,
                                          std::size_t size) {
    const auto taken = bytes(checked(elements, container, size) * size);
    inner_ += taken.size();
    return taken;
  }

  BytesHandle read_handle() {
    std::uint8_t maker = 0;
    (*this)(maker);
    if (maker > BytesHandle::worker)
      throw Refused("a handle of bytes names maker " + std::to_string(maker));
    BytesHandle handle{static_cast<BytesHandle::Maker>(maker)};
    if (maker != BytesHandle::none) (*this)(handle.id, handle.size);
    return handle;
  }

  BytesCarrier& carrier() const {
    if (!carrier_) throw Refused("a handle of bytes came without them");
    return *carrier_;
  }

  Block block_beside(std::uint64_t elements, std::size_t size) {
    const BytesHandle handle = read_handle();
    if (handle.size % size != 0 || handle.size / size != elements)
      throw Refused(std::to_string(elements) + " values do not fill the " +
                    std::to_string(handle.size) + " bytes that hold them");
    Bytes memory = carrier().resolve_block(handle);
    return {memory.span(), memory};
  }

  [[noreturn]] void refuse_short(std::size_t wanted) const {
    throw Refused("a value needs " + std::to_string(wanted) + " bytes, " +
                  std::to_string(rest_.size()) + " are left");
  }

  std::span<const std::byte> rest_;
  BytesCarrier* carrier_;
  std::size_t claimed_ = 0;  // bytes of rest_ that declared elements still have to take
  std::size_t inner_ = 0;    // what the current element took for elements and blocks within it
  unsigned depth_ = 0;
};

}  // namespace bulkhead::detail
