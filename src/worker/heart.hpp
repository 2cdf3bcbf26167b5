// A thread of the worker's that says now and then that the process lives, if the app wants to hear
// it. It knows nothing of handlers: one that takes long is no reason not to beat.
#pragma once

#include "ipc/segment.hpp"

namespace bulkhead::worker {

// Until the process ends. Throws std::system_error when there is no thread to be had.
void begin_beating(ipc::Hints& hints);

}  // namespace bulkhead::worker
