// Memory of small things that every call needs anew: kept, when one is done, for the next. In the
// steady state a call allocates nothing.
#pragma once

#include <cstddef>
#include <new>

#include "bulkhead/detail/export.hpp"

namespace bulkhead::detail {

// Aligned for any usual type. From any thread; throws std::bad_alloc. Large pieces are not kept,
// but come in large pages if they can.
BULKHEAD_API void* take_memory(std::size_t bytes);
// From any thread, also another one, with the same size.
BULKHEAD_API void give_memory(void* memory, std::size_t bytes) noexcept;
// For memory from elsewhere that is about to be filled: large pages, if it is large.
BULKHEAD_API void prepare_to_fill(void* memory, std::size_t bytes) noexcept;

template <class T>
struct Recycled {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  using value_type = T;

  Recycled() = default;
  template <class U>
  Recycled(const Recycled<U>&) noexcept {}  // NOLINT(google-explicit-constructor): as allocators do

  T* allocate(std::size_t count) {
    if (count > std::size_t(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(take_memory(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept { give_memory(memory, count * sizeof(T)); }

  friend bool operator==(const Recycled&, const Recycled&) { return true; }
};

}  // namespace bulkhead::detail
