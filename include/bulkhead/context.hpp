/// @file
/// What a handler is told besides its request.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bulkhead/bytes.hpp"

namespace bulkhead {

/// A handler's view of the request it answers; valid while the handler runs.
class Context {
 public:
  /// For the library, and for tests of handlers.
  explicit Context(std::uint64_t request_id, detail::HandlerBytes* bytes = nullptr) noexcept
      : request_id_(request_id), bytes_(bytes) {}
  /// The call's number in the app: the same that errors and crash reports name.
  std::uint64_t request_id() const noexcept { return request_id_; }
  /// A buffer to be filled in place and answered with, without copying it. The memory of one that
  /// the app has let go of is used again. Throws BytesExhausted.
  MutableBytes make_bytes(std::size_t size) {
    return bytes_ ? bytes_->make_bytes(size) : detail::make_own_bytes(size);
  }
  /// For the library.
  detail::BytesCarrier* carrier() const noexcept { return bytes_; }

 private:
  std::uint64_t request_id_;
  detail::HandlerBytes* bytes_;
};

}  // namespace bulkhead
