#include "worker/log_to_app.hpp"

#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "platform/home_process.hpp"
#include "platform/log.hpp"
#include "platform/stdio.hpp"
#include "worker/line_rate.hpp"
#include "worker/served_call.hpp"

namespace bulkhead::worker {

namespace {

// Its beginning, with a mark that says how much was cut.
std::string cut(std::string_view text) {
  constexpr std::size_t room_for_mark = 40;
  const std::size_t kept = rpc::max_log_text - room_for_mark;
  return std::string(text.substr(0, kept)) + " [" + std::to_string(text.size() - kept) +
         " bytes cut]";
}

class ToApp final : public spdlog::sinks::sink {
 public:
  explicit ToApp(rpc::WorkerEnd& app) : app_(app) {}

  void log(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    // The connection is not that of a fork, where also the lock may be held for ever.
    if (!home_.here()) return platform::write_stdio(2, std::string(text) + '\n');
    text.size() > rpc::max_log_text ? send(message.level, cut(text)) : send(message.level, text);
  }
  void flush() override {}
  // The app's logger has one.
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  void send(spdlog::level::level_enum level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    const rpc::LogHead line{.lost = lost_, .level = static_cast<std::uint32_t>(level)};
    const bool sent = rate_.ask(std::chrono::steady_clock::now()).yes &&
                      app_.try_log(ServedCall::here(), line, text);
    lost_ = sent ? 0 : lost_ + 1;
  }

  const platform::HomeProcess home_;
  rpc::WorkerEnd& app_;
  std::mutex mutex_;
  // guarded by mutex_
  LineRate rate_;
  std::uint64_t lost_ = 0;
};

}  // namespace

void log_to_app(rpc::WorkerEnd& app) {
  app.share_sending();
  auto logger = std::make_shared<spdlog::logger>("bulkhead", std::make_shared<ToApp>(app));
  try {
    spdlog::initialize_logger(logger);
  } catch (const spdlog::spdlog_ex&) {  // the name is taken
  }
  platform::set_own_logger(std::move(logger));
}

}  // namespace bulkhead::worker
