// Forking for a process that owns all of its children: the fork server. Never in the application.
// Only while this process has a single thread.
#pragma once

#include <sys/types.h>

#include "platform/fd.hpp"
#include "platform/pidfd.hpp"

namespace bulkhead::platform {

struct Forked {
  pid_t pid = 0;  // 0 in the child
  Pidfd pidfd;    // empty in the child
  bool in_child() const noexcept { return pid == 0; }
};

// glibc's fork(). Throws std::system_error when there is no room for another process.
Forked fork_process();

// The same, with the child in the cgroup v2 whose directory this is before it runs anything.
// Where the kernel can place it as it is made, that takes 0.1 ms and a raw call that runs no
// pthread_atfork handlers; elsewhere the child moves itself, which on an idle system takes 15 ms,
// and exits with `no_cgroup` if it cannot.
Forked fork_into_cgroup(const Fd& directory);
inline constexpr int no_cgroup = 71;

}  // namespace bulkhead::platform
