// The stack of a thread that a signal interrupted, and the modules that its code is in: the program
// and its shared libraries. Everything here is async-signal-safe once it was prepared.
#pragma once

#include <array>
#include <cstdint>

namespace bulkhead::platform {

// Integers only: it may be told to another process.
struct Frame {
  std::uint64_t pc = 0;    // of an instruction that runs, or calls
  std::uint64_t base = 0;  // where its module's addresses count from
  // The file of its module, and the end of its name; all zero where it is in none.
  std::uint64_t device = 0, inode = 0;
  std::array<char, 32> name{};
};

// Loads what a stack is taken with. Not async-signal-safe itself.
void prepare_backtrace();

// False: no more of them.
using OnFrame = bool (*)(void* data, const Frame& frame);
// In the signal's handler, on its thread. `context` is what the handler was given. From the code
// that was interrupted outwards. Where the stack is damaged it may crash.
void walk_interrupted(const void* context, OnFrame on_frame, void* data);

}  // namespace bulkhead::platform
