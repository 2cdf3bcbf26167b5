// The logger of this library: the application's, or our own. Not in spdlog's registry, which
// belongs to the application, but in a worker.
#pragma once

#include <spdlog/logger.h>

#include <memory>

namespace bulkhead::platform {

// Never null. Thread safe; hold the result only for as long as it is used.
std::shared_ptr<spdlog::logger> logger();

// From now on our own is this one: what is logged while the application has set none. Thread safe.
void set_own_logger(std::shared_ptr<spdlog::logger> logger);

}  // namespace bulkhead::platform
