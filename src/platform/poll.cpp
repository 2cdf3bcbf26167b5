#include "platform/poll.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace bulkhead::platform {

std::array<bool, 3> poll_readable(const std::array<int, 3>& fds,
                                  std::optional<std::chrono::milliseconds> patience) {
  const int timeout = patience ? static_cast<int>(patience->count()) : -1;
  std::array<pollfd, 3> polled{};
  for (std::size_t i = 0; i < fds.size(); ++i) polled[i] = {fds[i], POLLIN, 0};
  while (::poll(polled.data(), polled.size(), timeout) < 0)
    if (errno != EINTR) throw_errno("cannot wait for descriptors");
  std::array<bool, 3> readable{};
  for (std::size_t i = 0; i < fds.size(); ++i) readable[i] = polled[i].revents != 0;
  return readable;
}

bool is_readable(int fd) noexcept {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0;
}

void drain(const Fd& fd) {
  std::array<std::byte, 1024> buffer;
  while (read_some(fd, buffer).io == Io::done) {
  }
}

void replace_stdio(const Fd& output, const Fd& errors) {
  if (::dup2(output.get(), 1) < 0 || ::dup2(errors.get(), 2) < 0)
    throw_errno("cannot replace standard output and error");
}

}  // namespace bulkhead::platform
