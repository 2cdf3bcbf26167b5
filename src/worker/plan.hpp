// Which programs are executed to get workers, and what each is given.
#pragma once

#include <string>

#include "bulkhead/worker.hpp"
#include "process/spawn.hpp"

namespace bulkhead::worker {

constexpr int control_number = 3;  // of the control socket, in a launched program

// Workers may have workers of their own, this deep. Past it, somebody starts himself for ever.
constexpr unsigned deepest = 4;

// The program that becomes a fork server for `service`. Reads this process's environment, which
// other threads must not change meanwhile. Throws Error(start_failed).
process::Program fork_server_program(const Launch& launch, const std::string& service);

// One that becomes a worker by itself: this process's own program once more, as it was started.
process::Program worker_program(const std::string& service);

}  // namespace bulkhead::worker
