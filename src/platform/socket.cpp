#include "platform/socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace bulkhead::platform {
namespace {

SocketPair make_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("cannot make a pair of sockets");
  Fd ours(ends[0]), theirs(ends[1]);
  return {above_stdio(ours.release()), above_stdio(theirs.release())};
}

struct ControlBuffer {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(max_packet_fds * sizeof(int))> bytes{};
};

void attach(msghdr& message, ControlBuffer& control, std::span<const int> fds) {
  if (fds.empty()) return;
  if (fds.size() > max_packet_fds) throw std::length_error("too many descriptors for one packet");
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
}

// Owns them all before anything can throw.
std::vector<Fd> take_fds(msghdr& message) {
  std::vector<Fd> fds;
  fds.reserve(max_packet_fds);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

bool move_above_stdio(std::vector<Fd>& fds) {
  try {
    for (Fd& fd : fds) fd = above_stdio(fd.release());
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

[[noreturn]] void refuse(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

SocketPair packet_pair() { return make_pair(SOCK_SEQPACKET); }
SocketPair stream_pair() { return make_pair(SOCK_STREAM); }

bool is_packet_socket(int fd) noexcept {
  const auto option = [fd](int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  return option(SO_DOMAIN) == AF_UNIX && option(SO_TYPE) == SOCK_SEQPACKET;
}

void hang_up(const Fd& socket) noexcept { ::shutdown(socket.get(), SHUT_RDWR); }

Sent send_packet(const Fd& socket, std::span<const std::byte> bytes, std::span<const int> fds,
                 bool wait) {
  if (bytes.empty()) throw std::invalid_argument("a packet must not be empty");
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  ControlBuffer control;
  attach(message, control, fds);
  for (;;) {
    if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return Sent::sent;
    if (errno == EPIPE || errno == ECONNRESET) return Sent::gone;
    if (errno == EINTR) continue;
    const bool no_memory = errno == ENOBUFS && !wait;
    if (errno != EAGAIN && !no_memory) throw_errno("cannot send a packet");
    if (!wait) return Sent::would_block;
    wait_ready(socket, Readiness::writable, std::chrono::seconds(1));
  }
}

Packet receive_packet(const Fd& socket, std::size_t max_bytes, std::size_t max_fds, bool wait) {
  if (max_fds > max_packet_fds) throw std::length_error("too many descriptors for one packet");
  Packet packet{Io::done, {}, {}};
  // Not cleared: most packets touch one page of it.
  const auto room = std::make_unique_for_overwrite<std::byte[]>(max_bytes);
  ControlBuffer control;
  for (;;) {
    iovec data{room.get(), max_bytes};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    // CMSG_LEN and not CMSG_SPACE: the kernel would put one more into the padding.
    message.msg_control = max_fds == 0 ? nullptr : control.bytes.data();
    message.msg_controllen = max_fds == 0 ? 0 : CMSG_LEN(max_fds * sizeof(int));
    const ssize_t size = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    // ECONNRESET says, once, that the peer left without reading all of ours. Its own last packets
    // are still there behind it.
    if (size < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
    if (size < 0 && errno != EAGAIN) throw_errno("cannot receive a packet");
    if (size < 0 && wait) {
      wait_ready(socket, Readiness::readable, std::chrono::seconds(1));
      continue;
    }
    if (size < 0) return {Io::would_block, {}, {}};
    packet.fds = take_fds(message);
    if (message.msg_flags & MSG_TRUNC) refuse(EMSGSIZE, "a packet was larger than allowed");
    if (size == 0) return {Io::end, {}, {}};
    if ((message.msg_flags & MSG_CTRUNC) || !move_above_stdio(packet.fds)) packet.fds.clear();
    packet.bytes.assign(room.get(), room.get() + size);
    return packet;
  }
}

}  // namespace bulkhead::platform
