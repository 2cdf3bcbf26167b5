// Values to bytes and back. encode() and decode() throw Refused, and what a type's own serialize()
// throws; the bytes may come from a hostile process. A carrier takes Bytes beside the frame.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/std_types.hpp"

CEREAL_SETUP_ARCHIVE_TRAITS(bulkhead::detail::Decoder, bulkhead::detail::Encoder)

namespace bulkhead::detail {

// cereal's part of an archive takes longer to make than a small value takes to pack. So each thread
// keeps one, which is away while it is in use: a type's own functions may pack something else.
template <class Archive>
class KeptArchive {
 public:
  template <class Bytes>
  KeptArchive(Bytes& bytes, BytesCarrier* carrier) : archive_(std::move(kept())) {
    if (archive_)
      archive_->begin(bytes, carrier);
    else
      archive_ = std::make_unique<Archive>(bytes, carrier);
  }
  KeptArchive(const KeptArchive&) = delete;
  KeptArchive& operator=(const KeptArchive&) = delete;
  ~KeptArchive() { kept() = std::move(archive_); }

  Archive& operator*() { return *archive_; }

 private:
  static std::unique_ptr<Archive>& kept() {
    thread_local std::unique_ptr<Archive> archive;
    return archive;
  }
  std::unique_ptr<Archive> archive_;
};

// Appends `value` to `out`, which stays as it was if this throws.
template <class T>
void encode(Buffer& out, const T& value, BytesCarrier* carrier = nullptr) {
  const std::size_t before = out.size();
  try {
    (*KeptArchive<Encoder>(out, carrier))(value);
  } catch (...) {
    out.resize(before);
    throw;
  }
}

// `frame` holds one value and nothing else. After a throw, parts of `value` may have been read.
template <class T>
void decode(std::span<const std::byte> frame, T& value, BytesCarrier* carrier = nullptr) {
  KeptArchive<Decoder> decoder(frame, carrier);
  (*decoder)(value);
  (*decoder).finish();
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
