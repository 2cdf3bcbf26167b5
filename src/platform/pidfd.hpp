// A process, held by a descriptor that never comes to mean another one, and how processes end.
// Signals go by this descriptor only: a process id may belong to a stranger by now.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// How a process ended. Plain data: it may be sent to another process as it is.
struct Ending {
  enum class How : int {
    unknown,  // somebody else took the status: the host ignores SIGCHLD, or waits for all children
    exited,   // status is its exit code
    killed,   // status is the signal
    dumped,   // the same, and it left a core dump
  };
  How how = How::unknown;
  int status = 0;
  rusage usage{};
  // Of those that shared its cgroup, how many the kernel has killed for want of memory; negative:
  // nobody counts.
  std::int64_t oom_kills = -1;
};

class Pidfd {
 public:
  Pidfd() = default;
  explicit Pidfd(Fd fd) noexcept : fd_(std::move(fd)) {}

  // Sure to be the process that is meant only for a child that was not reaped, or for oneself.
  // Throws std::system_error: ESRCH when there is none.
  static Pidfd open(pid_t pid);
  // Of a thread that stands for a process: `fd` becomes readable when it has ended. It hears no
  // signals, and has no status.
  static Pidfd of_stand_in(Fd fd);

  const Fd& fd() const noexcept { return fd_; }  // readable once the process has ended
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  // False when it is gone already, or may not be signalled. Signal 0 only asks.
  bool signal(int number) const;
  // To every process of the group that it was made to lead, also when it has ended, and whoever
  // reaped it. Linux before 6.9 knows groups by number only: there nothing is signalled once it was
  // reaped, as the number may be a stranger's.
  void signal_group(pid_t leader, int number) const noexcept;
  bool ended() const;
  bool wait_ended(std::chrono::milliseconds timeout) const;

  // Takes the status of a child that has ended, once, and with `wait` waits for its end. Empty
  // while it runs. A process that is no child, or was reaped by others, ends as exit_info() says.
  std::optional<Ending> reap(bool wait) const;

  // What the kernel still tells anybody about a process that has been reaped (Linux 6.15).
  std::optional<Ending> exit_info() const;

 private:
  Fd fd_;
  bool stand_in_ = false;
};

// Costs one system call, however many processes there are.
bool has_children();

// Takes the status of any child that has ended, inherited ones too. For a process that owns all of
// its children: never call it in an application's own process.
std::optional<std::pair<pid_t, Ending>> reap_any();

}  // namespace bulkhead::platform
