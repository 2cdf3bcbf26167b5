#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace bulkhead::detail {

// Leaves what a resize adds uninitialised: it is written at once.
template <class T>
struct UninitialisedAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U>;
  };

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
