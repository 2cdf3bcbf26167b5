// Memory that is a file without a name (memfd), to be passed on by its descriptor. Once sealed,
// only the mapping that its maker has can write: others cannot map it for writing, nor make it
// smaller or larger, nor punch holes into it, whatever they do with the descriptor. So no touch of
// it is ever SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/fd.hpp"

namespace bulkhead::platform {

class Mapping {
 public:
  Mapping() = default;
  // Shared, all of it present at once. std::system_error when there is no room for it.
  Mapping(const Fd& file, std::size_t bytes, Access access);
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping();

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  // From now on it is a copy of its own, at the same address: whoever reads it meanwhile notices
  // nothing. std::system_error when there is no memory for it.
  void become_private();

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// With all of its memory taken. std::system_error when there is none, or no descriptor.
Fd make_memory_file(std::uint64_t bytes);
// To be called while only the maker has it mapped.
void seal(const Fd& file);
// Only its size: others may map it for writing.
void seal_size(const Fd& file);

// What somebody else passed: whether it is a sealed memory file of at least `bytes`, which are all
// there. Any other descriptor (a pipe, a device, a file that may shrink) is none.
bool is_sealed_memory(const Fd& file, std::uint64_t bytes) noexcept;

}  // namespace bulkhead::platform
