// What threads wait in, as /proc tells to whoever may trace them: a process that only an event can
// wake needs not be watched for a while to know that it sleeps.
#pragma once

#include <sys/types.h>

#include <optional>

namespace bulkhead::test {

// The number of the system call that the thread is blocked in; empty while it runs, and where this
// user or system may not know.
std::optional<long> system_call_of(pid_t process, pid_t thread);

// Whether a thread, the main one of another process or one of this, waits for descriptors.
bool is_polling(pid_t thread);

// Whether all threads of the process, but for one, wait without an end, and none of its timers is
// set.
bool waits_for_ever(pid_t process, pid_t but_thread = 0);

}  // namespace bulkhead::test
