// In a worker: notes for the app how it crashed, and rings before it ends. The kernel first takes
// its memory down, which takes long where there is much of it.
#pragma once

#include "ipc/crash_note.hpp"
#include "ipc/doorbell.hpp"

namespace bulkhead::worker {

// From now on, once in a process, which both outlive.
void tell_of_crashes(ipc::CrashNote& note, const ipc::Doorbell& app);

}  // namespace bulkhead::worker
