// Starts a program from a process with any number of threads: like vfork and exec. Everything is
// prepared by the caller; the child shares its memory, touches nothing but the plan, and makes bare
// system calls. Which of them failed comes back with its errno, so that a program which cannot be
// executed never looks like one that crashed.
#pragma once

#include <sys/types.h>

#include <span>
#include <utility>
#include <vector>

#include "platform/fd.hpp"

namespace bulkhead::platform {

enum class SpawnStage { fork, session, cgroup, working_directory, descriptors, parent, exec };

struct ExecPlan {
  const char* path = nullptr;  // PATH is not searched
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* working_directory = nullptr;  // null: the caller's
  // Ours -> the number in the child, in any order and overlap. Each target once. The rest of the
  // caller's descriptors from 3 up are closed by the exec.
  std::span<const std::pair<int, int>> descriptors;
  int cgroup_procs = -1;  // cgroup.procs of the cgroup to be in, open for writing
  bool new_session = false;
  bool dies_with_parent_thread = false;
};

struct ExecResult {
  pid_t pid = 0;
  Fd pidfd;
  // Where it failed, and why; error 0: the program runs. A child that failed has been reaped.
  SpawnStage stage = SpawnStage::fork;
  int error = 0;
};

ExecResult clone_and_exec(const ExecPlan& plan);

}  // namespace bulkhead::platform
