// What a process still does when it crashes: one function of its own, and then it ends by the
// signal that it crashed of, as if there were no handler.
#pragma once

namespace bulkhead::platform {

struct Crash {
  int signal = 0;
  int code = 0;                   // si_code
  const void* address = nullptr;  // si_addr
  const void* context = nullptr;  // for walk_interrupted()
};

// Must be async-signal-safe. Should it crash itself, or take longer than two seconds, the process
// ends by its first signal all the same.
using OnCrash = void (*)(const Crash& crash) noexcept;

// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT and SIGSYS are handled, on a SignalStack
// where the thread has one; those for which somebody else has a handler are not. The first thread
// to crash is the one that is told of. Processes that this one forks end as they would without it.
// Once in a process. Under a sanitizer it does nothing, since that tells of crashes itself.
void handle_crashes(OnCrash on_crash) noexcept;

}  // namespace bulkhead::platform
