#include "platform/host.hpp"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace bulkhead::platform {

std::string own_executable() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "worker";
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name ? std::string("SIG") + name : "signal " + std::to_string(number);
}

void signal_group(pid_t leader, int number) noexcept {
  if (leader > 1) ::kill(-leader, number);
}

void write_if_ready(int fd, std::string_view text) noexcept {
  // What a pipe calls ready takes this much at once, whoever else writes into it.
  constexpr std::size_t at_once = PIPE_BUF;
  while (!text.empty()) {
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) return;
    // Where nobody reads any more a write would raise SIGPIPE in the application.
    if (ready.revents & POLLERR) return;
    const ssize_t written = ::write(fd, text.data(), std::min(text.size(), at_once));
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace bulkhead::platform
