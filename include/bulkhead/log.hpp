/// @file
/// Where the library writes what it has to say: crashes, restarts, what it could not enforce.
#pragma once

#include <spdlog/fwd.h>
#include <memory>

#include "bulkhead/detail/export.hpp"

namespace bulkhead {

/// From now on the library logs to `logger`; null restores its own, which is named "bulkhead" and
/// writes warnings and worse to standard error. Thread safe, so that `logger` and its sinks must be
/// (spdlog's `_mt`): any thread may log. Levels are the logger's. For the calling process only.
BULKHEAD_API void set_logger(std::shared_ptr<spdlog::logger> logger);

}  // namespace bulkhead
