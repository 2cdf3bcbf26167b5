#include "platform/fork.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "platform/fault.hpp"
#include "platform/unsanitized.hpp"

namespace bulkhead::platform {
namespace {

// glibc keeps the thread's id in its descriptor and reads it from there (recursive mutexes,
// raise, pthread_kill). Its own fork has the kernel write the child's id to that place.
struct ThreadWords {
  pid_t* id;
  void* robust_list;
  std::size_t robust_size;
};

// The kernel knows the descriptor's list of robust mutexes, and the id lies 16 bytes before it:
// `pid_t tid; pid_t unused; void* robust_prev; robust_list_head robust_head;`.
std::optional<ThreadWords> own_thread() {
  ThreadWords words{};
  if (::syscall(SYS_get_robust_list, 0, &words.robust_list, &words.robust_size) != 0 ||
      words.robust_list == nullptr)
    return std::nullopt;
  words.id = reinterpret_cast<pid_t*>(static_cast<std::byte*>(words.robust_list) - 16);
  if (*words.id != ::gettid()) return std::nullopt;
  return words;
}

// Empty when this kernel, its filter of system calls or this C library does not let us.
std::optional<Forked> clone_into_cgroup(const Fd& directory) {
  const auto thread = own_thread();
  if (BULKHEAD_SANITIZED || !thread) return std::nullopt;
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP | CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.child_tid = reinterpret_cast<std::uintptr_t>(thread->id);
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<std::uint64_t>(directory.get());
  const long pid = ::syscall(SYS_clone3, &args, sizeof(args));
  if (pid == 0) {
    // The kernel forgot it for the child; fork() would do this too.
    ::syscall(SYS_set_robust_list, thread->robust_list, thread->robust_size);
    return Forked{};
  }
  if (pid > 0) return Forked{static_cast<pid_t>(pid), Pidfd(above_stdio(pidfd))};
  if (errno == EAGAIN || errno == ENOMEM || errno == EMFILE || errno == ENFILE)
    throw_errno("cannot fork");
  return std::nullopt;
}

void meet_fault() {
  errno = fault_errno("fork");
  if (errno != 0) throw_errno("cannot fork");
}

Forked plain_fork() {
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno("cannot fork");
  if (pid == 0) return {};
  try {
    return {pid, Pidfd::open(pid)};
  } catch (...) {
    // Not reaped yet, so the id is still the child's.
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) continue;
    throw;
  }
}

bool enter_cgroup(const Fd& directory) {
  const Fd file(::openat(directory.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), "0", 1) == 1;
}

}  // namespace

Forked fork_process() {
  meet_fault();
  return plain_fork();
}

Forked fork_into_cgroup(const Fd& directory) {
  meet_fault();
  if (auto cloned = clone_into_cgroup(directory)) return *std::move(cloned);
  Forked forked = plain_fork();
  if (forked.in_child() && !enter_cgroup(directory)) ::_exit(no_cgroup);
  return forked;
}

}  // namespace bulkhead::platform
