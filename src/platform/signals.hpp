// What a process does about signals. An ignored signal and a blocked mask survive both fork and
// exec, so whatever the host did about them has to be undone in the processes that we start.
#pragma once

#include <csignal>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// Every signal gets its default action. Async-signal-safe.
void reset_signal_actions() noexcept;
// The same, and none is blocked: for a process of our own that starts afresh.
void reset_signals() noexcept;

// Blocks all signals in this thread as long as it lives.
class BlockedSignals {
 public:
  BlockedSignals() noexcept;
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
