// In a worker: notes for the app how it crashed, before it ends.
#pragma once

#include "ipc/crash_note.hpp"

namespace bulkhead::worker {

// From now on, once in a process. `note` outlives it.
void tell_of_crashes(ipc::CrashNote& note);

}  // namespace bulkhead::worker
