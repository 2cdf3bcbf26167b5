#include "platform/signal_stack.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bulkhead::platform {
namespace {

constexpr std::size_t page = 4096, room = 65'536;

// What the kernel puts there depends on the processor's registers.
std::size_t needed() {
  const long context = ::sysconf(_SC_MINSIGSTKSZ);
  const std::size_t size = room + (context > 0 ? static_cast<std::size_t>(context) : 0);
  return (size + page - 1) / page * page;
}

}  // namespace

SignalStack::SignalStack() noexcept {
  stack_t present{};
  if (::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
  size_ = page + needed();
  void* const memory = ::mmap(nullptr, size_, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(memory) + page;  // the first is never to be touched
  stack.ss_size = size_ - page;
  if (::mprotect(stack.ss_sp, stack.ss_size, PROT_READ | PROT_WRITE) == 0)
    ::sigaltstack(&stack, nullptr);
}

SignalStack::~SignalStack() {
  if (!memory_) return;
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 &&
      present.ss_sp == static_cast<char*>(memory_) + page) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }
  ::munmap(memory_, size_);
}

}  // namespace bulkhead::platform
