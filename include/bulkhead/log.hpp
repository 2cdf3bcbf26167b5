/// @file
/// Where the library writes what it has to say: crashes, restarts, what it could not enforce, and
/// what workers log.
///
/// In a worker, spdlog's registry has a logger "bulkhead", unless the program has registered one:
/// what is logged there, from any thread, comes into the app's logger as one line, with the worker
/// and the call that the thread serves. Control characters are escaped, what is longer than 4096
/// bytes is cut. Logging waits for nobody: what has no room, or comes beyond 100 lines in 100 ms,
/// is dropped and counted. The library's own logger is the same one there. Until there is a worker,
/// in `preload`, it writes to standard error.
#pragma once

#include <spdlog/fwd.h>
#include <memory>

#include "bulkhead/detail/export.hpp"

namespace bulkhead {

/// From now on the library logs to `logger`; null restores its own, which is named "bulkhead" and
/// writes warnings and worse to standard error. Thread safe, so that `logger` and its sinks must be
/// (spdlog's `_mt`): any thread may log. Levels are the logger's. For the calling process only, and
/// what it forks: one that is set before a worker serves is kept there.
BULKHEAD_API void set_logger(std::shared_ptr<spdlog::logger> logger);

}  // namespace bulkhead
