// The logger of this library: the application's, or our own. Never in spdlog's registry, which
// belongs to the application.
#pragma once

#include <spdlog/logger.h>

#include <memory>

namespace bulkhead::platform {

// Never null. Thread safe; hold the result only for as long as it is used.
std::shared_ptr<spdlog::logger> logger();

}  // namespace bulkhead::platform
