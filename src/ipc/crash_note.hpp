// What a worker that crashes leaves in its segment: which signal it was, and where it was.
//
// Its handler of signals writes it, from the top to the bottom, and may not come to the end. The
// app copies it once and checks the copy: whatever is in it, at worst it is a wrong stack.
#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "platform/backtrace.hpp"

namespace bulkhead::ipc {

// As it lies in the segment: 64-bit words, all zero until there is a crash.
struct CrashNote {
  static constexpr std::size_t most_frames = 64;
  std::uint64_t signal;
  std::uint64_t frame_count;
  std::array<platform::Frame, most_frames> frames;
  std::array<std::uint64_t, sizeof(rusage) / sizeof(std::uint64_t)> usage;
  std::uint64_t ends;  // not 0: it does nothing any more, but may take long to be gone
};

// In the worker. Async-signal-safe.
void begin_note(CrashNote& shared, int signal) noexcept;
// False: it is full.
bool add_to_note(CrashNote& shared, const platform::Frame& frame) noexcept;
void end_note(CrashNote& shared, const rusage& usage) noexcept;

struct NotedCrash {
  int signal = 0;
  std::vector<platform::Frame> frames;  // innermost first
  rusage usage{};
};
// In the app.
bool says_end(const CrashNote& shared) noexcept;
// Nothing: there was no crash, or it is what no worker writes.
std::optional<NotedCrash> read_note(const CrashNote& shared);

}  // namespace bulkhead::ipc
