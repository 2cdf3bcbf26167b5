// Where the stock worker program is, which loads modules and serves them.
#pragma once

#include <string>

namespace bulkhead::worker {

// BULKHEAD_WORKER_PROGRAM in the environment names it, whether it is there or not. Else the first
// that exists: where the package says that it was installed (`packaged`, may be empty), beside the
// library, beside the application, where this library was to be installed, where it was built.
// Throws Error(start_failed) that names all of these.
std::string find_stock_worker(const std::string& packaged);

}  // namespace bulkhead::worker
