#include "worker/log_to_app.hpp"

#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "platform/home_process.hpp"
#include "platform/log.hpp"
#include "platform/stdio.hpp"
#include "worker/line_rate.hpp"
#include "worker/logged_lines.hpp"
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

// The way to the app.
class Connection {
 public:
  explicit Connection(rpc::WorkerEnd& app) : app_(app) {}

  // It is not that of a fork, where also the lock may be held for ever.
  bool here() const { return home_.here(); }
  void send(spdlog::level::level_enum level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    const rpc::LogHead line{.lost = lost_, .level = static_cast<std::uint32_t>(level)};
    const bool sent = rate_.ask(std::chrono::steady_clock::now()).yes &&
                      app_.try_log(ServedCall::here(), line, text);
    lost_ = sent ? 0 : lost_ + 1;
  }

 private:
  const platform::HomeProcess home_;
  rpc::WorkerEnd& app_;
  std::mutex mutex_;
  // guarded by mutex_
  LineRate rate_;
  std::uint64_t lost_ = 0;
};

// Never destroyed: threads may still log.
constinit std::atomic<Connection*> connection = nullptr;

void log_to_standard_error(spdlog::level::level_enum level, std::string_view text) {
  const auto name = spdlog::level::to_string_view(level);
  std::string line = "[bulkhead] [";
  line.append(name.data(), name.size()).append("] ").append(text) += '\n';
  platform::write_stdio(2, line);
}

class Sink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    const rpc::Head call = ServedCall::here();
    if (const std::string* const name = LogsAs::here())
      return log_line(*name, message.level, call.ticket != 0 ? call.id : 0, text);
    Connection* const app = connection.load(std::memory_order_acquire);
    if (!app || !app->here()) return log_to_standard_error(message.level, text);
    text.size() > rpc::max_log_text ? app->send(message.level, cut(text))
                                    : app->send(message.level, text);
  }
  void flush() override {}
  // The app's logger has one.
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("bulkhead", std::make_shared<Sink>());
  try {
    spdlog::initialize_logger(logger);
  } catch (const spdlog::spdlog_ex&) {  // the name is taken
  }
  return logger;
}

}  // namespace

void open_log() {
  [[maybe_unused]] static const bool once = (platform::set_own_logger(make_logger()), true);
}

LogsAs::LogsAs(std::string name) : name_(std::move(name)) {
  [[maybe_unused]] static const bool once = (spdlog::get("bulkhead") || make_logger(), true);
  present_ = &name_;
}

void log_to_app(rpc::WorkerEnd& app) {
  open_log();
  connection.store(new Connection(app), std::memory_order_release);
}

}  // namespace bulkhead::worker
