#include "platform/shared_memory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace bulkhead::platform {

Fd share_open_file(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw_errno("cannot duplicate the descriptor of a shared memory object");
  return Fd(copy);
}

Fd open_regular_file(const std::string& path) noexcept {
  // Without O_NONBLOCK, a fifo that someone put there would hold us.
  Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return file;
}

std::uint64_t size_of(const Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno("cannot ask a file for its size");
  return static_cast<std::uint64_t>(status.st_size);
}

void allocate(const Fd& file, std::uint64_t bytes, const std::string& what) {
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
  if (error == 0) return;
  errno = error;
  const std::string asked = std::to_string(bytes) + " bytes asked for " + what;
  if (error == ENOSPC)
    throw_errno(std::string(shared_memory_directory) + " is full (" + asked +
                "): make it larger, or start fewer workers");
  throw_errno("cannot allocate shared memory: " + asked);
}

bool leads_to(const std::string& path, const Fd& file) noexcept {
  struct stat named {
  }, open{};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(file.get(), &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace bulkhead::platform
