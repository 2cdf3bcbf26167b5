#include "platform/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/unsanitized.hpp"

namespace bulkhead::platform {

// By raw calls: it also runs in a child that shares our memory, where a sanitizer's interceptor
// would note the change for the parent.
BULKHEAD_UNSANITIZED void reset_signal_actions() noexcept {
  struct {
    void* handler;  // SIG_DFL is zero
    unsigned long rest[7];
  } action = {};
  constexpr long set_size = 8;
  constexpr int last_signal = 64;
  for (int number = 1; number <= last_signal; ++number) {
    if (number == 32 || number == 33) continue;  // glibc's own
    ::syscall(SYS_rt_sigaction, number, &action, nullptr, set_size);
  }
}

void reset_signals() noexcept {
  reset_signal_actions();
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

BlockedSignals::BlockedSignals() noexcept {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Fd signal_fd(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) throw_errno("cannot make a descriptor for a signal");
  return above_stdio(fd);
}

}  // namespace bulkhead::platform
