#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "bulkhead/detail/recycled.hpp"

namespace bulkhead::detail {

// Leaves what a resize adds uninitialised: it is written at once.
template <class T>
struct UninitialisedAllocator : Recycled<T> {
  using value_type = T;

  UninitialisedAllocator() = default;
  template <class U>
  UninitialisedAllocator(const UninitialisedAllocator<U>&) noexcept {}  // NOLINT: as allocators do

  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    if constexpr (sizeof...(Args) == 0) {
      ::new (static_cast<void*>(at)) U;
    } else {
      ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
    }
  }
};

// Bytes of a frame. What resize() adds is for the caller to write.
using Buffer = std::vector<std::byte, UninitialisedAllocator<std::byte>>;

}  // namespace bulkhead::detail
