// A file descriptor with one owner, and the few ways of making one that every layer needs.
// All are close-on-exec and above 2, also where the application runs with descriptors 0 to 2
// closed. Failures are std::system_error with the errno and what was tried.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace bulkhead::platform {

class Fd {
 public:
  Fd() = default;
  // Takes over `fd`; a negative one is no descriptor.
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Fd old(std::exchange(fd_, other.release()));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// Throws std::system_error with the present errno; `what` names what was tried, and on what.
[[noreturn]] void throw_errno(const std::string& what);

// Takes over `fd`, and moves it above 2 if it lies below.
Fd above_stdio(int fd);
Fd duplicate(const Fd& fd);
// Empty, with the errno, when there is no descriptor left.
Fd try_duplicate(const Fd& fd) noexcept;

// open(2) with O_CLOEXEC.
Fd open_file(const std::string& path, int flags, unsigned mode = 0);
Fd open_directory(const std::string& path);
// Empty, with the errno, when it cannot be opened.
enum class Access { read, write };
Fd try_open(const std::string& path, Access access) noexcept;
// /dev/null, for reading and writing.
Fd open_null();

struct Pipe {
  Fd read, write;
};
Pipe make_pipe();

void set_nonblocking(const Fd& fd);
void set_close_on_exec(const Fd& fd, bool on);

// flock(2), exclusive, without waiting: false when another open file holds it. The lock ends with
// the last copy of the descriptor, in whatever process.
bool try_lock(const Fd& fd);

// Waits until the descriptor is readable (or broken), or has an exceptional condition (what
// cgroup.events and the like report): false when `timeout` passed first. Never throws on EINTR.
enum class Readiness { readable, writable, exceptional };
bool wait_ready(const Fd& fd, Readiness what, std::chrono::milliseconds timeout);

// What one read brought: bytes, nothing yet (a non-blocking descriptor), or the end.
enum class Io { done, would_block, end };
struct ReadResult {
  Io io = Io::end;
  std::size_t size = 0;
};
ReadResult read_some(const Fd& fd, std::span<std::byte> buffer);

// Whole small files (/proc, cgroup files): what can be read, or all of `text` written at once.
// Reading a file that is gone or may not be read gives an empty string.
std::string read_file(const std::string& path);
// The first 4 KiB of an open one, whatever was read of it before. In one reading: each tells the
// kernel that all changes so far were seen, and only later ones are an exceptional condition.
std::string read_again(const Fd& file);
// The errno, 0 when all was written.
int write_file(const std::string& path, std::string_view text) noexcept;

}  // namespace bulkhead::platform
