#include "allocations.hpp"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<bool> counts = false;
std::atomic<std::uint64_t> count = 0;

void note() {
  if (counts.load(std::memory_order_relaxed)) count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// In front of glibc's own, which operator new and Asio use.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
}

namespace bulkhead::bench {

std::uint64_t allocations_in(const std::function<void()>& work) {
  const std::uint64_t before = count;
  counts = true;
  work();
  counts = false;
  return count - before;
}

}  // namespace bulkhead::bench
