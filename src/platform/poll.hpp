// Waiting for descriptors, and emptying those that only signal.
#pragma once

#include <array>
#include <cstddef>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Waits until at least one is readable, or its other end is gone.
std::array<bool, 3> poll_readable(const std::array<int, 3>& fds);

// Whether it is so now; without waiting.
bool is_readable(int fd) noexcept;

// Reads away what is there, of a non-blocking descriptor.
void drain(const Fd& fd);

// Standard output and error become what these are.
void replace_stdio(const Fd& output, const Fd& errors);

}  // namespace bulkhead::platform
