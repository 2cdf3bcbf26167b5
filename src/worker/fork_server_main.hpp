// The fork server, from inside: what a launched program becomes when it serves. It forks workers,
// or executes them where the program has several threads; watches and reaps them, tells the app how
// each ended, and kills whatever they leave behind. Does all that on the program's main thread.
// Ends when the app closes the control socket, or is gone.
#pragma once

#include "bulkhead/detail/contract.hpp"
#include "bulkhead/serve.hpp"
#include "worker/assignment.hpp"
#include "worker/handshake.hpp"

namespace bulkhead::worker {

// Greets the app and serves as its fork server. Returns in each worker that it forks, and there
// only.
Assignment run_fork_server(const Launched& launch, const detail::Contract& contract,
                           const ServeOptions& options);

// Tells the app what this program serves, which is not what it was launched for, and waits for the
// end that the app will make of it.
void greet_and_wait(const Launched& launch, const detail::Contract& contract);

}  // namespace bulkhead::worker
