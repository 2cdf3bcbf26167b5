// Pairs of connected Unix sockets, and packets with descriptors over them.
// The peer may be hostile: what does not fit the given bounds is refused, and every descriptor that
// came with it is closed again. Nothing here raises SIGPIPE.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "platform/fd.hpp"

namespace bulkhead::platform {

struct SocketPair {
  Fd ours, theirs;
};
SocketPair packet_pair();  // keeps the bounds of each packet
SocketPair stream_pair();

// Whether `fd`, a mere number from somewhere, is an open Unix packet socket.
bool is_packet_socket(int fd) noexcept;

// Ends the connection for all that hold this end of it, forked processes too.
void hang_up(const Fd& socket) noexcept;

enum class Sent { sent, would_block, gone };

// Sends one packet, which must not be empty: a receiver could not tell it from the end.
// Without `wait` it never blocks, whatever the flags of the socket say.
Sent send_packet(const Fd& socket, std::span<const std::byte> bytes, std::span<const int> fds = {},
                 bool wait = false);

struct Packet {
  Io io = Io::end;  // end: the peer is gone and all that it sent was received
  std::vector<std::byte> bytes;
  std::vector<Fd> fds;
};

// The most descriptors that Linux passes with one packet.
inline constexpr std::size_t max_packet_fds = 253;

// Receives one packet. One of more than `max_bytes` is std::system_error EMSGSIZE. One with more
// than `max_fds` descriptors, or for whose descriptors this process has no room, comes with none.
Packet receive_packet(const Fd& socket, std::size_t max_bytes, std::size_t max_fds,
                      bool wait = false);

}  // namespace bulkhead::platform
