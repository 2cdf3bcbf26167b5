#include "platform/exec.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/fault.hpp"
#include "platform/pidfd.hpp"
#include "platform/signals.hpp"
#include "platform/unsanitized.hpp"

#if BULKHEAD_SANITIZED
// glibc's other name for it, which no sanitizer intercepts: they take every clone for a fork.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __clone(int (*)(void*), void*, int, void*, ...);
static constexpr auto bare_clone = &__clone;
#else
static constexpr auto bare_clone = &::clone;
#endif

namespace bulkhead::platform {
namespace {

// Shared by parent and child, which run one after the other.
struct Child {
  const ExecPlan& plan;
  pid_t parent;
  int first_free;  // above every number that the child is to have
  int* staged;     // room for one descriptor of each pair
  SpawnStage stage = SpawnStage::fork;
  int error = 0;
};

[[noreturn]] BULKHEAD_UNSANITIZED void fail(Child& child, SpawnStage stage) {
  child.stage = stage;
  child.error = errno;
  for (;;) ::syscall(SYS_exit_group, 127);
}

// For a kernel or a filter without close_range: asks which descriptors there are. The directory
// does not change meanwhile, as they are marked only.
BULKHEAD_UNSANITIZED bool mark_listed_close_on_exec() {
  struct Entry {  // linux_dirent64
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[1];
  };
  const long list = ::syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
  if (list < 0) return false;
  alignas(Entry) char buffer[1024];
  for (;;) {
    const long size = ::syscall(SYS_getdents64, list, buffer, sizeof(buffer));
    if (size <= 0) return size == 0;
    for (long at = 0; at < size;) {
      const Entry* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->size;
      int fd = 0;
      for (const char* digit = entry->name; *digit >= '0' && *digit <= '9'; ++digit)
        fd = fd * 10 + (*digit - '0');
      if (fd > 2) ::syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

// In two steps, through numbers above all targets: a source may be another pair's target.
BULKHEAD_UNSANITIZED bool place_descriptors(Child& child) {
  const auto* pairs = child.plan.descriptors.data();
  const std::size_t count = child.plan.descriptors.size();
  for (std::size_t i = 0; i < count; ++i) {
    const long copy =
        ::syscall(SYS_fcntl, pairs[i].first, F_DUPFD_CLOEXEC, static_cast<long>(child.first_free));
    if (copy < 0) return false;
    child.staged[i] = static_cast<int>(copy);
  }
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0 && !mark_listed_close_on_exec())
    return false;
  for (std::size_t i = 0; i < count; ++i)
    if (::syscall(SYS_dup3, child.staged[i], pairs[i].second, 0) < 0) return false;
  return true;
}

// The signal is for a parent that dies later; one that is dead already is seen by its id.
BULKHEAD_UNSANITIZED bool bind_to_parent(const Child& child) {
  if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, static_cast<long>(SIGKILL), 0L, 0L, 0L) != 0)
    return false;
  errno = ESRCH;
  return ::syscall(SYS_getppid) == child.parent;
}

BULKHEAD_UNSANITIZED int run_child(void* argument) {
  Child& child = *static_cast<Child*>(argument);
  const ExecPlan& plan = child.plan;
  reset_signal_actions();
  if (plan.new_session && ::syscall(SYS_setsid) < 0) fail(child, SpawnStage::session);
  if (plan.cgroup_procs >= 0 && ::syscall(SYS_write, plan.cgroup_procs, "0", 1L) != 1)
    fail(child, SpawnStage::cgroup);
  if (plan.working_directory != nullptr && ::syscall(SYS_chdir, plan.working_directory) != 0)
    fail(child, SpawnStage::working_directory);
  if (!place_descriptors(child)) fail(child, SpawnStage::descriptors);
  if (plan.dies_with_parent_thread && !bind_to_parent(child)) fail(child, SpawnStage::parent);
  const std::uint64_t no_signals = 0;
  ::syscall(SYS_rt_sigprocmask, static_cast<long>(SIG_SETMASK), &no_signals, nullptr,
            sizeof(no_signals));
  ::syscall(SYS_execve, plan.path, plan.arguments, plan.environment);
  fail(child, SpawnStage::exec);
}

}  // namespace

ExecResult clone_and_exec(const ExecPlan& plan) {
  if (const int error = fault_errno("spawn")) return {0, {}, SpawnStage::fork, error};
  int highest = 2;
  for (const auto& [ours, target] : plan.descriptors) highest = std::max(highest, target);
  std::vector<int> staged(plan.descriptors.size());
  Child child{plan, ::getpid(), highest + 1, staged.data()};

  // The frame that called us stays untouched: the child runs on a stack of its own.
  struct alignas(64) StackLine {
    std::byte bytes[64];
  };
  constexpr std::size_t lines = 1024;
  const auto stack = std::make_unique_for_overwrite<StackLine[]>(lines);

  int pidfd = -1;
  pid_t pid = -1;
  int error = 0;
  {
    // No handler of the application may run in the child, on our memory.
    const BlockedSignals blocked(BlockedSignals::Which::all);
    pid = bare_clone(run_child, stack.get() + lines, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                     &child, &pidfd);
    error = errno;
  }
  if (pid < 0) return {0, {}, SpawnStage::fork, error};
  Fd held(pidfd);
  if (child.error == 0) return {pid, above_stdio(held.release()), SpawnStage::exec, 0};
  Pidfd(std::move(held)).reap(true);
  return {0, {}, child.stage, child.error};
}

}  // namespace bulkhead::platform
