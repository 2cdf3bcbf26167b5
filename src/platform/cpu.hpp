// On which core a thread runs, and how many there are for it.
#pragma once

namespace bulkhead::platform {

// The core that the calling thread runs on at this moment. A few nanoseconds: no system call.
unsigned current_core() noexcept;

// How many cores the calling thread may run on: at least one. A system call: ask seldom.
unsigned usable_cores();

// Tells the core that its thread only looks at a word again and again.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace bulkhead::platform
