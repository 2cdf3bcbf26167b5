#include "platform/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <utility>

#include "bulkhead/log.hpp"

namespace bulkhead {
namespace {

std::shared_ptr<spdlog::logger> make_default() {
  auto made = std::make_shared<spdlog::logger>("bulkhead",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>());
  made->set_level(spdlog::level::warn);
  return made;
}

struct Current {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger = make_default();  // guarded by mutex
};

Current& current() {
  static Current& kept = *new Current;  // never destroyed: the last destructors may still log
  return kept;
}

}  // namespace

void set_logger(std::shared_ptr<spdlog::logger> logger) {
  auto next = logger ? std::move(logger) : make_default();
  {
    const std::lock_guard lock(current().mutex);
    current().logger.swap(next);
  }
  // The old logger, and with it the application's sinks, goes here: outside of the lock.
}

std::shared_ptr<spdlog::logger> platform::logger() {
  const std::lock_guard lock(current().mutex);
  return current().logger;
}

}  // namespace bulkhead
