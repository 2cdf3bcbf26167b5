#include "faults/debugger.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "support/in_child.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

namespace {

using How = Debugger::How;

std::filesystem::path threads_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/task"; }

// A process with a thread that is traced does not end before its tracer has heard of it: whom it
// only holds it holds by one thread.
bool attach(pid_t traced, How how) {
  if (how == How::holds) return ::ptrace(PTRACE_SEIZE, traced, nullptr, 0) == 0;
  const long options =
      how == How::sees_forks || how == How::follows_forks
          ? PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC
          : 0;
  for (const auto& thread : std::filesystem::directory_iterator(threads_of(traced)))
    if (::ptrace(PTRACE_SEIZE, std::stoi(thread.path().filename()), nullptr, options) != 0)
      return false;
  return true;
}

bool holds_others(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

void go_on(pid_t traced, How how, pid_t thread, int status) {
  const int event = status >> 16, signal = WSTOPSIG(status);
  if (event == 0)
    ::ptrace(PTRACE_CONT, thread, nullptr, signal);
  else if (event == PTRACE_EVENT_STOP && holds_others(signal))
    ::ptrace(PTRACE_LISTEN, thread, nullptr, nullptr);
  else if (event == PTRACE_EVENT_STOP && how == How::sees_forks &&
           !std::filesystem::exists(threads_of(traced) / std::to_string(thread)))
    ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  else
    ::ptrace(PTRACE_CONT, thread, nullptr, nullptr);
}

// Until nothing is left to be traced.
void trace_all(pid_t traced, How how) {
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) return;
    if (WIFSTOPPED(status)) go_on(traced, how, thread, status);
  }
}

}  // namespace

Debugger::Debugger(pid_t traced, How how)
    : told_(platform::make_pipe()), go_(platform::make_pipe()) {
  pid_ = start_in_child([&] { trace(traced, how); });
  told_.write.reset();
  char byte = 'n';
  attached_ = ::read(told_.read.get(), &byte, 1) == 1 && byte == 'y';
}

void Debugger::tell(bool attached) const {
  expect(::write(told_.write.get(), attached ? "y" : "n", 1) == 1);
}

void Debugger::trace(pid_t traced, How how) const {
  bool attached = attach(traced, how);
  if (!attached || how != How::holds) {
    tell(attached);
    return trace_all(traced, how);
  }
  int status = 0;
  attached = ::ptrace(PTRACE_INTERRUPT, traced, nullptr, nullptr) == 0 &&
             ::waitpid(traced, &status, __WALL) == traced && WIFSTOPPED(status);
  tell(attached);
  char byte = 0;
  expect(::read(go_.read.get(), &byte, 1) == 1);
  ::ptrace(PTRACE_DETACH, traced, nullptr, nullptr);
}

void Debugger::let_go() {
  if (pid_ == 0) return;
  static_cast<void>(::write(go_.write.get(), "", 1) == 1);
  const auto ended = [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; };
  if (!wait_until(ended)) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = 0;
}

Debugger::~Debugger() { let_go(); }

}  // namespace bulkhead::test
