/// @file
/// Large buffers that both sides read in place: what goes through a call is a handle.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "bulkhead/detail/bytes_memory.hpp"
#include "bulkhead/detail/export.hpp"

namespace bulkhead {

/// There is no shared memory, descriptor or allowance left for a buffer; what() says which. Thrown
/// by a handler it becomes errc::handler_failed; when an answer's buffer cannot be had in the app,
/// the call fails with errc::message_too_large.
class BULKHEAD_API BytesExhausted : public std::bad_alloc {
 public:
  /// `sentence` is what what() gives; `error` is the errno behind it, 0 where there is none.
  explicit BytesExhausted(const std::string& sentence, int error = 0);
  /// A whole sentence. Lives as long as this or a copy of it.
  const char* what() const noexcept override { return sentence_->c_str(); }
  /// The errno behind it; 0: a limit of BytesLimits was reached.
  int error() const noexcept { return error_; }

 private:
  std::shared_ptr<const std::string> sentence_;
  int error_;
};

/// How much memory buffers may take: those of one Pool's or Worker's make_bytes together, and those
/// that each of its workers makes.
struct BytesLimits {
  /// Buffers of fewer bytes are ordinary memory, and travel inside their message.
  std::size_t shared_from = std::size_t{64} << 10;
  /// What exists at once, in bytes, what is kept for reuse included. Past it make_bytes throws
  /// BytesExhausted. A worker can have 1024 buffers at most.
  std::size_t alive = std::size_t{4} << 30;
  /// What is kept for reuse when its last owner let it go, in bytes, for each worker and direction.
  /// The rest is given back to the system at once.
  std::size_t kept = std::size_t{256} << 20;
};

/// A buffer that its one owner fills in place, and then makes Bytes of by a move. Movable, not
/// copyable, for one thread at a time. What it holds at first is not specified: zeros, or what an
/// earlier buffer of the same pool or worker held. So fill all of it before it is sent.
class MutableBytes {
 public:
  /// Of no bytes.
  MutableBytes() = default;
  /// For the library.
  MutableBytes(std::shared_ptr<detail::BytesMemory> memory, std::size_t size) noexcept
      : memory_(std::move(memory)), size_(size) {}
  /// The other has no bytes then.
  MutableBytes(MutableBytes&& other) noexcept
      : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)) {}
  /// The other has no bytes then.
  MutableBytes& operator=(MutableBytes&& other) noexcept {
    memory_ = std::move(other.memory_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// To be read and written; aligned for any type. Null where there are none.
  std::byte* data() const noexcept { return memory_ ? memory_->data : nullptr; }
  /// How many bytes.
  std::size_t size() const noexcept { return size_; }
  /// All of them.
  std::span<std::byte> span() const noexcept { return {data(), size_}; }

  /// For the library: what they lie in.
  const std::shared_ptr<detail::BytesMemory>& memory() const noexcept { return memory_; }

 private:
  friend class Bytes;
  std::shared_ptr<detail::BytesMemory> memory_;
  std::size_t size_ = 0;
};

/// Bytes that nobody changes any more: a value that is cheap to copy, since copies share the
/// memory, and that may be a member of requests and responses as any other, in containers too. From
/// BytesLimits::shared_from on it is not copied on its way: the other process maps the same memory,
/// for reading only. It is freed, or used again, when its last owner in the app lets go, as an
/// open call is. It outlives its pool and the worker that made it. The same may be sent many
/// times, to many workers, and sent on.
///
/// A handler's Bytes of a request that are kept beyond their call become a copy of the worker's
/// own. Those that a worker made are for the app to read only, but a worker gone bad can still
/// change them: copy what you check before you use it, if you trust it so little.
///
/// Safe as a std::shared_ptr is: different copies in different threads.
class BULKHEAD_API Bytes {
 public:
  /// No bytes.
  Bytes() = default;
  /// For the library.
  Bytes(std::shared_ptr<const detail::BytesMemory> memory, std::size_t size) noexcept
      : memory_(std::move(memory)), size_(size) {}
  /// Of what was filled, without copying it.
  Bytes(MutableBytes&& filled) noexcept
      : memory_(std::move(filled.memory_)), size_(std::exchange(filled.size_, 0)) {}

  /// A copy, in shared memory from 64 KiB on. Throws BytesExhausted.
  static Bytes copy_of(std::span<const std::byte> bytes);
  /// What the file holds, as long as it is when it is opened. Throws std::system_error where it
  /// cannot be read, BytesExhausted.
  static Bytes from_file(const std::filesystem::path& path);

  /// Null where there are none.
  const std::byte* data() const noexcept { return memory_ ? memory_->data : nullptr; }
  /// How many bytes.
  std::size_t size() const noexcept { return size_; }
  /// True when there are none.
  bool empty() const noexcept { return size_ == 0; }
  /// All of them; valid as long as this or a copy of it.
  std::span<const std::byte> span() const noexcept { return {data(), size_}; }

  /// For the library: what they lie in.
  const std::shared_ptr<const detail::BytesMemory>& memory() const noexcept { return memory_; }

 private:
  std::shared_ptr<const detail::BytesMemory> memory_;
  std::size_t size_ = 0;
};

namespace detail {

// In this process's own memory.
BULKHEAD_API MutableBytes make_own_bytes(std::size_t size);
// In shared memory if they are large, for whoever they will be sent to. Throws BytesExhausted.
BULKHEAD_API MutableBytes make_bytes(std::size_t size);

// A buffer that a call carries, and where its handle is in the packed request.
struct Attachment {
  Bytes bytes;
  std::size_t at;
};
using Attachments = std::vector<Attachment>;

}  // namespace detail
}  // namespace bulkhead
