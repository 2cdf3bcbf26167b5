#include "platform/large_pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace bulkhead::platform {
namespace {

constexpr std::uintptr_t page = std::uintptr_t{2} << 20;  // x86-64's; on others a hint for nothing
constexpr std::size_t worth_it = 2 * page;

}  // namespace

void use_large_pages(void* memory, std::size_t bytes) noexcept {
  if (bytes < worth_it) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t before = (page - begin % page) % page;
  const std::size_t whole = (bytes - before) / page * page;
  ::madvise(static_cast<std::byte*>(memory) + before, whole, MADV_HUGEPAGE);
}

}  // namespace bulkhead::platform
