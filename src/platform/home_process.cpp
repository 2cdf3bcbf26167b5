#include "platform/home_process.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace bulkhead::platform {
namespace {

using Mark = std::atomic<std::uint32_t>;

constinit std::atomic<Mark*> shared_mark = nullptr;
constinit Mark last_number = 0;  // of this process and those that it descends from

// Zero again in every fork: the kernel sees to it, also where none of the C library's handlers
// runs. Where it does not know how, they have to do.
Mark* make_mark() noexcept {
  constexpr std::size_t size = 1;  // a page
  void* const page =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED && ::madvise(page, size, MADV_WIPEONFORK) == 0) return new (page) Mark(0);
  if (page != MAP_FAILED) ::munmap(page, size);
  static constinit Mark plain = 0;
  ::pthread_atfork(nullptr, nullptr, [] { plain.store(0); });
  return &plain;
}

// Without a lock, which a fork could find held.
Mark* mark() noexcept {
  Mark* seen = shared_mark.load(std::memory_order_acquire);
  if (seen == nullptr) {
    Mark* const made = make_mark();
    if (shared_mark.compare_exchange_strong(seen, made)) seen = made;
  }
  return seen;
}

}  // namespace

HomeProcess::HomeProcess() noexcept : pid_(::getpid()) {
  Mark* const shared = mark();
  std::uint32_t number = shared->load();
  while (number == 0) {
    const std::uint32_t next = ++last_number;
    if (shared->compare_exchange_strong(number, next)) number = next;
  }
  mark_ = shared;
  number_ = number;
}

}  // namespace bulkhead::platform
