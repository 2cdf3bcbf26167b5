#include "platform/pidfd.hpp"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>

namespace bulkhead::platform {
namespace {

// Newer than the headers that this is built with: linux/pidfd.h of Linux 6.15, its first version
// of the struct.
struct PidfdInfo {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t ids[11] = {};
  std::int32_t wait_status = 0;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t wants_exit = 1U << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);

// Raw, because glibc's waitid hides the usage that the kernel gives.
long wait_id(idtype_t type, int id, siginfo_t& info, int options, rusage& usage) {
  info.si_pid = 0;
  for (;;) {
    const long result = ::syscall(SYS_waitid, type, id, &info, options | WEXITED | __WALL, &usage);
    if (result == 0 || errno != EINTR) return result;
  }
}

Ending to_ending(const siginfo_t& info, const rusage& usage) {
  using How = Ending::How;
  const How how = info.si_code == CLD_EXITED   ? How::exited
                  : info.si_code == CLD_DUMPED ? How::dumped
                                               : How::killed;
  return {.how = how, .status = info.si_status, .usage = usage};
}

}  // namespace

Pidfd Pidfd::open(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) throw_errno("cannot open process " + std::to_string(pid));
  return Pidfd(above_stdio(static_cast<int>(fd)));
}

Pidfd Pidfd::of_stand_in(Fd fd) {
  Pidfd pidfd(std::move(fd));
  pidfd.stand_in_ = true;
  return pidfd;
}

bool Pidfd::signal(int number) const {
  if (stand_in_) return !ended();
  return ::syscall(SYS_pidfd_send_signal, fd_.get(), number, nullptr, 0) == 0;
}

void Pidfd::signal_group(pid_t leader, int number) const noexcept {
  constexpr unsigned to_group = 1U << 2;  // PIDFD_SIGNAL_PROCESS_GROUP
  if (::syscall(SYS_pidfd_send_signal, fd_.get(), number, nullptr, to_group) == 0) return;
  if (errno == ESRCH || leader <= 1) return;
  siginfo_t info{};
  const bool ours = ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(fd_.get()), &info,
                             WEXITED | WNOHANG | WNOWAIT) == 0;
  if (ours) ::kill(-leader, number);
}

bool Pidfd::ended() const { return wait_ended(std::chrono::milliseconds(0)); }

bool Pidfd::wait_ended(std::chrono::milliseconds timeout) const {
  return wait_ready(fd_, Readiness::readable, timeout);
}

std::optional<Ending> Pidfd::reap(bool wait) const {
  if (stand_in_) return ended() ? std::optional(Ending{}) : std::nullopt;
  siginfo_t info{};
  rusage usage{};
  if (wait_id(static_cast<idtype_t>(P_PIDFD), fd_.get(), info, wait ? 0 : WNOHANG, usage) == 0) {
    if (info.si_pid == 0) return std::nullopt;
    return to_ending(info, usage);
  }
  if (errno != ECHILD) throw_errno("cannot wait for a process");
  while (wait && !wait_ended(std::chrono::hours(1))) continue;
  if (!ended()) return std::nullopt;
  return exit_info().value_or(Ending{});
}

std::optional<Ending> Pidfd::exit_info() const {
  PidfdInfo info;
  info.mask = wants_exit;
  if (::ioctl(fd_.get(), get_info, &info) != 0 || (info.mask & wants_exit) == 0)
    return std::nullopt;
  const int status = info.wait_status;
  if (WIFEXITED(status)) return Ending{Ending::How::exited, WEXITSTATUS(status), {}};
  return Ending{
      WCOREDUMP(status) ? Ending::How::dumped : Ending::How::killed, WTERMSIG(status), {}};
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) == 0 || errno != ECHILD;
}

std::optional<std::pair<pid_t, Ending>> reap_any() {
  siginfo_t info{};
  rusage usage{};
  if (wait_id(P_ALL, 0, info, WNOHANG, usage) != 0) {
    if (errno == ECHILD) return std::nullopt;
    throw_errno("cannot wait for children");
  }
  if (info.si_pid == 0) return std::nullopt;
  return std::pair{info.si_pid, to_ending(info, usage)};
}

}  // namespace bulkhead::platform
