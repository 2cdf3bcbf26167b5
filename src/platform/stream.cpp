#include "platform/stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace bulkhead::platform {

void send_now(const Fd& socket, std::span<const std::byte> bytes) noexcept {
  while (::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
         errno == EINTR) {
  }
}

namespace {

ReadResult receive(const Fd& socket, std::span<std::byte> buffer, int flags) {
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), flags);
    if (size > 0) return {Io::done, static_cast<std::size_t>(size)};
    if (size == 0 || errno == ECONNRESET) return {Io::end, 0};
    if (errno == EAGAIN) return {Io::would_block, 0};
    if (errno != EINTR) throw_errno("cannot receive from a socket");
  }
}

}  // namespace

ReadResult receive_now(const Fd& socket, std::span<std::byte> buffer) {
  return receive(socket, buffer, MSG_DONTWAIT);
}

ReadResult receive_waiting(const Fd& socket, std::span<std::byte> buffer) {
  return receive(socket, buffer, 0);
}

bool wait_readable(const Fd& socket,
                   std::optional<std::chrono::steady_clock::time_point> deadline) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  for (;;) {
    pollfd entry{socket.get(), POLLIN, 0};
    timespec rest{};
    if (deadline) {
      const nanoseconds left =
          std::max<nanoseconds>(*deadline - std::chrono::steady_clock::now(), nanoseconds(0));
      const auto whole = std::chrono::floor<seconds>(left);
      rest = {static_cast<time_t>(whole.count()), static_cast<long>((left - whole).count())};
    }
    const int ready = ::ppoll(&entry, 1, deadline ? &rest : nullptr, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) throw_errno("cannot wait for a socket");
  }
}

}  // namespace bulkhead::platform
