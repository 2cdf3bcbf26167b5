// Waiting for descriptors, and emptying those that only signal.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Waits until at least one is readable, or its other end is gone; or until the time is over, then
// none is. Without a time for ever.
std::array<bool, 3> poll_readable(const std::array<int, 3>& fds,
                                  std::optional<std::chrono::milliseconds> patience = {});

// Whether it is so now; without waiting.
bool is_readable(int fd) noexcept;

// Reads away what is there, of a non-blocking descriptor.
void drain(const Fd& fd);

// Standard output and error become what these are.
void replace_stdio(const Fd& output, const Fd& errors);

}  // namespace bulkhead::platform
