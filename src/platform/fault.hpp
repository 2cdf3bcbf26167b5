// Named places in the code where a test makes the process die, hang or fail, so that every crash
// which is written about is also tried. Compiled in only with BULKHEAD_FAULT_POINTS.
//
//   BULKHEAD_FAULT=point:nth:action[;point:nth:action...]
//   BULKHEAD_FAULT=@FILE    what FILE says, now and whenever that changes; nothing without it
//
// The action is taken the nth time that this process, counting from 1 and including what it was
// forked from, comes to the point; `*` means every time. Actions:
//   kill        SIGKILL to itself         exit=N   _exit(N)
//   abort       abort()                   stop     SIGSTOP to itself
//   signal=N    signal N to itself        stall    never goes on
//   errno=N     the system call at the point fails so
//   short=N     the write at the point takes N bytes at most
// A value that makes no sense is told on standard error, and the process exits with 64.
#pragma once

#include <cstddef>
#include <string_view>

namespace bulkhead::platform {

#ifdef BULKHEAD_FAULT_POINTS
// Where a system call is to be made: the errno that it shall fail with, or 0 to go on.
[[nodiscard]] int fault_errno(std::string_view point);
// Where `bytes` are to be written: how many of them the write shall take.
[[nodiscard]] std::size_t fault_length(std::string_view point, std::size_t bytes);
// From now on these, instead of the environment's: for a test's own process. Thread safe.
void use_faults(std::string_view setting);
// Called at every point from now on, first of all: for a test that decides while it runs. It stays
// across a fork.
using FaultHook = void (*)(std::string_view point);
void set_fault_hook(FaultHook hook);
inline void fault_point(std::string_view point) { static_cast<void>(fault_errno(point)); }
#else
[[nodiscard]] constexpr int fault_errno(std::string_view) noexcept { return 0; }
[[nodiscard]] constexpr std::size_t fault_length(std::string_view, std::size_t bytes) noexcept {
  return bytes;
}
constexpr void fault_point(std::string_view) noexcept {}
#endif

}  // namespace bulkhead::platform
