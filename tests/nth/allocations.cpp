// operator new, which may be told to fail.
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "nth/failing.hpp"
#include "reactor/reactor.hpp"

namespace {

using bulkhead::nth::Kind;

// LEFT OUT: what the reactor's own thread allocates. An exception there ends the program, because
// nobody could be told which pool, process or call it left half done.
bool is_left_out() { return bulkhead::reactor::Reactor::is_this_thread(); }

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (!is_left_out() && bulkhead::nth::due(Kind::allocations, "operator new", ENOMEM))
    return nullptr;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* or_throw(void* pointer) {
  if (!pointer) throw std::bad_alloc();
  return pointer;
}

}  // namespace

void* operator new(std::size_t size) { return or_throw(allocate(size, 1)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate(size, static_cast<std::size_t>(alignment)));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { std::free(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { std::free(pointer); }
