#include "platform/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "platform/fault.hpp"

namespace bulkhead::platform {

namespace {

constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr int all_seals = size_seals | F_SEAL_FUTURE_WRITE;

[[noreturn]] void fail(int error, const char* what, std::uint64_t bytes) {
  errno = error;
  throw_errno(std::string(what) + " of " + std::to_string(bytes) + " bytes");
}

// The kernel would send SIGXFSZ.
bool exceeds_file_limit(std::uint64_t bytes) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         bytes > limit.rlim_cur;
}

}  // namespace

Mapping::Mapping(const Fd& file, std::size_t bytes, Access access) {
  if (const int error = fault_errno("memory.map")) fail(error, "cannot map shared memory", bytes);
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const at = ::mmap(nullptr, bytes, protection, MAP_SHARED | MAP_POPULATE, file.get(), 0);
  if (at == MAP_FAILED) fail(errno, "cannot map shared memory", bytes);
  data_ = static_cast<std::byte*>(at);
  size_ = bytes;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void Mapping::become_private() {
  void* const copy =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) fail(errno, "cannot keep a copy of shared memory", size_);
  std::memcpy(copy, data_, size_);
  if (::mremap(copy, size_, size_, MREMAP_MAYMOVE | MREMAP_FIXED, data_) != MAP_FAILED) return;
  const int error = errno;
  ::munmap(copy, size_);
  fail(error, "cannot keep a copy of shared memory", size_);
}

Fd make_memory_file(std::uint64_t bytes) {
  if (const int error = fault_errno("memory.make")) fail(error, "cannot make shared memory", bytes);
  if (exceeds_file_limit(bytes)) fail(EFBIG, "cannot make shared memory", bytes);
  const int fd = ::memfd_create("bulkhead-bytes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) fail(errno, "cannot make shared memory", bytes);
  Fd file = above_stdio(fd);
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
  if (error != 0) fail(error, "cannot make shared memory", bytes);
  return file;
}

namespace {

void add_seals(const Fd& file, int seals) {
  if (::fcntl(file.get(), F_ADD_SEALS, seals) != 0) throw_errno("cannot seal shared memory");
}

}  // namespace

void seal(const Fd& file) { add_seals(file, all_seals); }

void seal_size(const Fd& file) { add_seals(file, size_seals); }

bool is_sealed_memory(const Fd& file, std::uint64_t bytes) noexcept {
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals < 0 || (seals & all_seals) != all_seals) return false;
  struct stat status {};
  return ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= 0 &&
         static_cast<std::uint64_t>(status.st_size) >= bytes &&
         static_cast<std::uint64_t>(status.st_blocks) * 512 >=
             static_cast<std::uint64_t>(status.st_size);
}

}  // namespace bulkhead::platform
