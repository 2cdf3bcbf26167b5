#include "platform/crash_handler.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "platform/signals.hpp"
#include "platform/unsanitized.hpp"

namespace bulkhead::platform {
namespace {

constexpr unsigned patience_s = 2;

// Constant after handle_crashes().
OnCrash on_crash_ = nullptr;
pid_t process_ = 0;
// The first to crash.
std::atomic<pid_t> thread_ = 0;
std::atomic<int> signal_ = 0;

sigset_t set_of(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

[[noreturn]] void end_by(int number) {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(number, &usual, nullptr);
  const sigset_t set = set_of(number);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::syscall(SYS_tgkill, ::getpid(), ::gettid(), number);
  constexpr int as_shells_tell_it = 128;
  ::_exit(as_shells_tell_it + number);  // the first process of a container outlives its own signals
}

// A stack that is damaged may lead its reader in circles, or into a lock.
void watch_for_hanging() {
  struct sigaction end {};
  end.sa_handler = [](int) { end_by(signal_); };
  ::sigaction(SIGALRM, &end, nullptr);
  const sigset_t alarm = set_of(SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  ::alarm(patience_s);
}

void handle(int number, siginfo_t* info, void* context) {
  if (::getpid() != process_) end_by(number);
  pid_t first = 0;
  if (!thread_.compare_exchange_strong(first, ::gettid())) {
    if (first == ::gettid()) end_by(signal_);  // what it does about crashes crashed
    for (;;) ::pause();                        // the other one ends the process
  }
  signal_ = number;
  watch_for_hanging();
  on_crash_(
      {.signal = number, .code = info->si_code, .address = info->si_addr, .context = context});
  end_by(number);
}

bool has_default_action(int number) {
  struct sigaction present {};
  return ::sigaction(number, nullptr, &present) == 0 && present.sa_handler == SIG_DFL;
}

}  // namespace

void handle_crashes(OnCrash on_crash) noexcept {
  if (BULKHEAD_SANITIZED) return;
  on_crash_ = on_crash;
  process_ = ::getpid();
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigfillset(&action.sa_mask);
  sigdelset(&action.sa_mask, SIGALRM);
  for (const int number : crash_signals) sigdelset(&action.sa_mask, number);
  for (const int number : crash_signals)
    if (has_default_action(number)) ::sigaction(number, &action, nullptr);
}

}  // namespace bulkhead::platform
