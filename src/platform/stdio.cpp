#include "platform/stdio.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "platform/fault.hpp"

namespace bulkhead::platform {
namespace {

constinit std::array<std::atomic<bool>, 3> found_closed{};

[[maybe_unused]] const bool looked_at_start = (note_closed_stdio(), true);

bool is_pipe(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

// A terminal that is ready may have less room than a line, and a write to it waits for the rest.
// Opened once more, it has flags of our own. One that is not ours to open is written to all the
// same.
ssize_t write_terminal(int fd, std::string_view text) noexcept {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const Fd terminal(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return ::write(terminal ? terminal.get() : fd, text.data(), text.size());
}

// Others write to it too: the room that poll() saw may be gone. Its flags are not ours to change.
ssize_t write_now(int fd, std::string_view text) noexcept {
  const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  if (is_pipe(fd)) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    const ssize_t written = ::pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return written;
  }
  if (::isatty(fd)) return write_terminal(fd, text);
  return ::write(fd, text.data(), text.size());
}

}  // namespace

bool has_stdio(int number) noexcept {
  return !found_closed[static_cast<std::size_t>(number)].load(std::memory_order_relaxed);
}

void note_closed_stdio() noexcept {
  for (int number = 0; number <= 2; ++number)
    if (::fcntl(number, F_GETFD) < 0)
      found_closed[static_cast<std::size_t>(number)].store(true, std::memory_order_relaxed);
}

void write_stdio(int number, std::string_view text) noexcept {
  // What a pipe calls ready takes this much at once.
  constexpr std::size_t at_once = PIPE_BUF;
  while (!text.empty() && has_stdio(number)) {
    pollfd ready{.fd = number, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) return;
    if (ready.revents & POLLERR) return;  // nobody reads any more
    const std::size_t part = fault_length("stdio.write", std::min(text.size(), at_once));
    const ssize_t written = write_now(number, text.substr(0, part));
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

StdioHeld::StdioHeld() noexcept {
  for (Fd& each : held_) {
    Fd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (fd.get() > 2) return;
    each = std::move(fd);
  }
}

}  // namespace bulkhead::platform
