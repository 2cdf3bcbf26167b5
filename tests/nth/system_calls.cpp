// The C library's functions that ask something of the kernel, which may be told to fail. A symbol
// of the program goes before the library's of the same name, for all that the program is linked
// from and all shared libraries: Bulkhead, Asio, Boost.Interprocess and the C++ library. Nothing of
// them is built differently.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>

#include "nth/failing.hpp"

namespace {

using Word = long;
using Function = Word (*)(Word, Word, Word, Word, Word, Word, Word);

// The C library's own, found at the first call.
struct Real {
  const char* name;
  Function found = nullptr;
  Function get() {
    if (!found) found = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
    return found;
  }
};

bool fails(const char* call, int error) {
  return error != 0 && bulkhead::nth::due(bulkhead::nth::Kind::system_calls, call, error);
}

// 0: as it is used, it cannot fail.
int error_of_fcntl(Word command) {
  if (command == F_DUPFD_CLOEXEC) return EMFILE;
  return command == F_ADD_SEALS ? EBUSY : 0;
}

int error_of_sending(Word message) {
  return reinterpret_cast<const msghdr*>(message)->msg_controllen > 0 ? ETOOMANYREFS : ENOBUFS;
}

bool is_futex_wait(Word operation) {
  const Word command = operation & FUTEX_CMD_MASK;
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

// The first two are Asio's own. It does not look whether the kernel watches them, and would never
// be woken: these alone are spared.
int to_be_spared = 0;

int error_of_epoll_create() {
  to_be_spared = 2;
  return EMFILE;
}

int error_of_epoll_ctl(Word operation) {
  if (operation != EPOLL_CTL_ADD || to_be_spared-- > 0) return 0;
  return ENOMEM;
}

// What is called without a function of its own. The later ones are called by the child of a spawn.
// `second` is the second argument behind the number.
int error_of_syscall(Word number, Word second) {
  switch (number) {
    case SYS_futex:
      return is_futex_wait(second) ? EINTR : 0;
    case SYS_pidfd_open:
      return EMFILE;
    case SYS_pidfd_send_signal:
      return EPERM;
    case SYS_waitid:
      return EINTR;
    case SYS_clone3:
      return EAGAIN;
    case SYS_fcntl:
      return error_of_fcntl(second);
    case SYS_close_range:
      return ENOSYS;
    case SYS_dup3:
      return EBUSY;
    case SYS_prctl:
      return EPERM;
    case SYS_write:
    case SYS_chdir:
    case SYS_execve:
      return ENOMEM;
    default:
      return 0;
  }
}

}  // namespace

// Arguments are passed on as they come, in registers and one on the stack. The label, because the
// system's headers know these functions as noexcept and with other types.
#define MAY_FAIL(name, given_error, result)                                                      \
  static Real real_##name{#name};                                                                \
  extern "C" Word failing_##name(Word, Word, Word, Word, Word, Word, Word) __asm__(#name);       \
  Word failing_##name([[maybe_unused]] Word a, [[maybe_unused]] Word b, [[maybe_unused]] Word c, \
                      Word d, Word e, Word f, Word g) {                                          \
    const int error = (given_error);                                                             \
    if (!fails(#name, error)) return real_##name.get()(a, b, c, d, e, f, g);                     \
    errno = error;                                                                               \
    return result;                                                                               \
  }

// Descriptors.
MAY_FAIL(open, EMFILE, -1)
MAY_FAIL(openat, EMFILE, -1)
MAY_FAIL(pipe, EMFILE, -1)
MAY_FAIL(pipe2, EMFILE, -1)
MAY_FAIL(dup2, EBUSY, -1)
MAY_FAIL(fcntl, error_of_fcntl(b), -1)
MAY_FAIL(socketpair, EMFILE, -1)
MAY_FAIL(eventfd, EMFILE, -1)
MAY_FAIL(epoll_create1, error_of_epoll_create(), -1)
MAY_FAIL(timerfd_create, EMFILE, -1)
MAY_FAIL(memfd_create, EMFILE, -1)
MAY_FAIL(shm_open, EMFILE, -1)

// Memory and files.
MAY_FAIL(mmap, ENOMEM, -1)
MAY_FAIL(mremap, ENOMEM, -1)
MAY_FAIL(mprotect, ENOMEM, -1)
MAY_FAIL(madvise, EAGAIN, -1)
MAY_FAIL(ftruncate, ENOSPC, -1)
MAY_FAIL(posix_fallocate, ENOSPC, ENOSPC)
MAY_FAIL(fchmod, EPERM, -1)
MAY_FAIL(flock, ENOLCK, -1)
MAY_FAIL(stat, ENOMEM, -1)
MAY_FAIL(lstat, ENOMEM, -1)
MAY_FAIL(fstat, ENOMEM, -1)
MAY_FAIL(readlink, ENOMEM, -1)
MAY_FAIL(mkdir, EAGAIN, -1)
MAY_FAIL(rmdir, EBUSY, -1)
MAY_FAIL(fdopendir, ENOMEM, 0)
MAY_FAIL(pread, ENOMEM, -1)
MAY_FAIL(getrandom, EINTR, -1)

// Processes and threads.
MAY_FAIL(fork, EAGAIN, -1)
MAY_FAIL(clone, EAGAIN, -1)
MAY_FAIL(pthread_create, EAGAIN, EAGAIN)
MAY_FAIL(kill, EPERM, -1)
MAY_FAIL(waitid, EINTR, -1)
MAY_FAIL(waitpid, EINTR, -1)
MAY_FAIL(prctl, EPERM, -1)

// Talking and waiting.
MAY_FAIL(epoll_ctl, error_of_epoll_ctl(b), -1)
MAY_FAIL(epoll_wait, EINTR, -1)
MAY_FAIL(poll, EINTR, -1)
MAY_FAIL(ppoll, EINTR, -1)
MAY_FAIL(read, EINTR, -1)
MAY_FAIL(write, c == sizeof(std::uint64_t) ? 0 : EINTR,
         -1)  // that is an eventfd, which does not wait
MAY_FAIL(send, EINTR, -1)
MAY_FAIL(sendmsg, error_of_sending(b), -1)
MAY_FAIL(recv, EINTR, -1)
MAY_FAIL(recvmsg, EINTR, -1)

// The child of a vfork must not look for it.
MAY_FAIL(syscall, error_of_syscall(a, c), -1)
[[maybe_unused]] static const Function found = real_syscall.get();
