// Where the library writes what it has to say: crashes, restarts, what it could not enforce.
#pragma once

#include <spdlog/fwd.h>
#include <memory>

namespace bulkhead {

// From now on the library logs to `logger`; null restores its own, which is named "bulkhead" and
// writes warnings and worse to standard error. Thread safe; log levels are the logger's.
void set_logger(std::shared_ptr<spdlog::logger> logger);

}  // namespace bulkhead
