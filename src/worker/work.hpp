// What a worker does from its start to its end: opens its connection, prepares, answers requests,
// on as many threads as ServeOptions says.
#pragma once

#include "bulkhead/detail/dispatcher.hpp"
#include "bulkhead/serve.hpp"
#include "worker/assignment.hpp"

namespace bulkhead::worker {

// On the process's main thread. Ends the process when it is asked to leave, or the app is gone.
[[noreturn]] void work(Assignment assignment, const ServeOptions& options,
                       detail::Dispatcher& dispatcher);

}  // namespace bulkhead::worker
