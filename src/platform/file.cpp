#include "platform/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace bulkhead::platform {

FileReader::FileReader(std::string path)
    : path_(std::move(path)), file_(open_file(path_, O_RDONLY)) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw_errno("cannot ask for the size of " + path_);
  if (S_ISDIR(status.st_mode))
    errno = EISDIR;
  else if (!S_ISREG(status.st_mode))
    errno = EINVAL;
  if (!S_ISREG(status.st_mode)) throw_errno("cannot read " + path_ + " as a file");
  size_ = static_cast<std::size_t>(status.st_size);
}

std::size_t FileReader::read(std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t size =
        ::pread(file_.get(), into.data() + done, into.size() - done, static_cast<off_t>(done));
    if (size == 0) break;
    if (size < 0 && errno != EINTR) throw_errno("cannot read " + path_);
    if (size > 0) done += static_cast<std::size_t>(size);
  }
  return done;
}

}  // namespace bulkhead::platform
