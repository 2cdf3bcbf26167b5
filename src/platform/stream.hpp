// Bytes through a connected stream socket (socket.hpp makes pairs of them). Nothing here waits
// unless it says so, whatever the flags of the socket are.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Sends what fits now. Raises no signal; a full or closed socket is no error here.
void send_now(const Fd& socket, std::span<const std::byte> bytes) noexcept;

// One read of what is there now. A connection that was reset is at its end. Descriptors that the
// peer sent along are never received.
ReadResult receive_now(const Fd& socket, std::span<std::byte> buffer);

// The same, once there is something to read or the other end is closed. The socket must be one that
// waits: its own end's flags say so.
ReadResult receive_waiting(const Fd& socket, std::span<std::byte> buffer);

// Waits until there is something to read, or the other end is closed. False once `deadline` has
// passed.
bool wait_readable(const Fd& socket, std::optional<std::chrono::steady_clock::time_point> deadline);

}  // namespace bulkhead::platform
