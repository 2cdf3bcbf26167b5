#include "platform/log.hpp"

#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <utility>

#include "bulkhead/log.hpp"
#include "platform/home_process.hpp"
#include "platform/stdio.hpp"

namespace bulkhead {
namespace {

// Loses what finds no room, where spdlog's own would wait: the reactor logs too.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    platform::write_stdio(2, {text.data(), text.size()});
  }
  void flush_() override {}
};

std::shared_ptr<spdlog::logger> make_default() {
  auto made = std::make_shared<spdlog::logger>("bulkhead", std::make_shared<StandardError>());
  made->set_level(spdlog::level::warn);
  return made;
}

struct Current {
  // A fork goes on with its parent's loggers.
  explicit Current(const Current* inherited)
      : own(inherited ? inherited->own : make_default()),
        set(inherited ? inherited->set : nullptr) {}
  std::mutex mutex;
  // guarded by mutex
  std::shared_ptr<spdlog::logger> own;
  std::shared_ptr<spdlog::logger> set;  // by the application; null: it has not
};

// Never destroyed: the last destructors may still log.
constinit platform::PerProcess<Current> current;

}  // namespace

void set_logger(std::shared_ptr<spdlog::logger> logger) {
  {
    Current& now = current.get();
    const std::lock_guard lock(now.mutex);
    now.set.swap(logger);
  }
  // The old logger, and with it the application's sinks, goes here: outside of the lock.
}

std::shared_ptr<spdlog::logger> platform::logger() {
  Current& now = current.get();
  const std::lock_guard lock(now.mutex);
  return now.set ? now.set : now.own;
}

void platform::set_own_logger(std::shared_ptr<spdlog::logger> logger) {
  Current& now = current.get();
  const std::lock_guard lock(now.mutex);
  now.own.swap(logger);
}

}  // namespace bulkhead
