// What a process does about signals. An ignored signal and a blocked mask survive both fork and
// exec, so whatever the host did about them has to be undone in the processes that we start.
#pragma once

#include <array>
#include <csignal>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// What a thread's own crash raises.
inline constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

// Every signal gets its default action. Async-signal-safe.
void reset_signal_actions() noexcept;
// The same, and none is blocked: for a process of our own that starts afresh.
void reset_signals() noexcept;

// Blocks signals in this thread as long as it lives.
class BlockedSignals {
 public:
  // A thread that blocks those of its own crash ends its process without the handlers of crashes
  // that this may have, and one that is raised waits for ever.
  enum class Which { all, all_but_crashes };
  explicit BlockedSignals(Which which) noexcept;
  ~BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

// A non-blocking descriptor that becomes readable when a child of this process has ended, whichever
// thread the signal comes to. Several ends may come as one reading. Installs a handler of SIGCHLD,
// which goes on after the descriptor is closed: reset_signals() first. One for each process.
Fd child_events();

}  // namespace bulkhead::platform
