#include "platform/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace bulkhead::platform {

namespace {

// Empty at its end, and where it cannot be read.
std::string read_at(const Fd& file, std::size_t position) {
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  do {
    size = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(position));
  } while (size < 0 && errno == EINTR);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

}  // namespace

void Fd::reset() noexcept {
  // Linux frees the descriptor even when close is interrupted: never again on EINTR.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Fd above_stdio(int fd) {
  Fd low(fd);
  if (fd < 0 || fd > 2) return low;
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (high < 0) throw_errno("cannot move a descriptor above standard error");
  return Fd(high);
}

Fd duplicate(const Fd& fd) {
  Fd copy = try_duplicate(fd);
  if (!copy) throw_errno("cannot duplicate a descriptor");
  return copy;
}

Fd try_duplicate(const Fd& fd) noexcept { return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)); }

Fd open_file(const std::string& path, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw_errno("cannot open " + path);
  return above_stdio(fd);
}

Fd open_directory(const std::string& path) { return open_file(path, O_RDONLY | O_DIRECTORY); }

Fd try_open(const std::string& path, Access access) noexcept {
  Fd file(::open(path.c_str(), (access == Access::read ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
  if (!file || file.get() > 2) return file;
  return Fd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
}

Fd open_null() { return open_file("/dev/null", O_RDWR); }

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  Fd read(ends[0]), write(ends[1]);
  return {above_stdio(read.release()), above_stdio(write.release())};
}

void set_nonblocking(const Fd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    throw_errno("cannot make a descriptor non-blocking");
}

void set_close_on_exec(const Fd& fd, bool on) {
  if (::fcntl(fd.get(), F_SETFD, on ? FD_CLOEXEC : 0) < 0)
    throw_errno("cannot set close-on-exec on a descriptor");
}

bool try_lock(const Fd& fd) {
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw_errno("cannot lock a file");
}

bool wait_ready(const Fd& fd, Readiness what, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + timeout;
  const short events = what == Readiness::readable   ? POLLIN
                       : what == Readiness::writable ? POLLOUT
                                                     : POLLPRI;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd entry{fd.get(), events, 0};
    const int found = ::poll(&entry, 1, static_cast<int>(std::clamp<long>(left, 0, 1'000'000)));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) throw_errno("cannot wait for a descriptor");
    if (left <= 0) return false;
  }
}

ReadResult read_some(const Fd& fd, std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size > 0) return {Io::done, static_cast<std::size_t>(size)};
    if (size == 0) return {Io::end, 0};
    if (errno == EAGAIN) return {Io::would_block, 0};
    if (errno == EIO) return {Io::end, 0};  // a terminal whose other side is gone
    if (errno != EINTR) throw_errno("cannot read from a descriptor");
  }
}

std::string read_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  while (file) {
    const std::string more = read_at(file, text.size());
    if (more.empty()) break;
    text += more;
  }
  return text;
}

std::string read_again(const Fd& file) { return read_at(file, 0); }

int write_file(const std::string& path, std::string_view text) noexcept {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  for (;;) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size >= 0) return static_cast<std::size_t>(size) == text.size() ? 0 : EIO;
    if (errno != EINTR) return errno;
  }
}

}  // namespace bulkhead::platform
