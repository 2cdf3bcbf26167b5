// Finds out, in the fork server, what of a Sandbox can be enforced: by trying.
#pragma once

#include "process/tree.hpp"
#include "worker/measures.hpp"

namespace bulkhead::worker {

// Also gives the workers' cgroups the limits that they can have. Before the first worker.
Means probe(const Confinement& asked, process::Trees& trees);

}  // namespace bulkhead::worker
