#include "platform/signals.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

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

BlockedSignals::BlockedSignals(Which which) noexcept {
  sigset_t set;
  sigfillset(&set);
  if (which == Which::all_but_crashes)
    for (const int number : crash_signals) sigdelset(&set, number);
  ::pthread_sigmask(SIG_SETMASK, &set, &before_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

// A signal that only one thread blocks, as for a signalfd, is taken from it by any other.
Fd child_events() {
  static std::atomic<int> event = -1;
  Fd fd = above_stdio(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw_errno("cannot make a descriptor for the ends of children");
  event = fd.get();
  struct sigaction action {};
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  action.sa_handler = [](int) {
    const int error = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);  // full is as good
    errno = error;
  };
  if (::sigaction(SIGCHLD, &action, nullptr) != 0) throw_errno("cannot handle SIGCHLD");
  return fd;
}

}  // namespace bulkhead::platform
