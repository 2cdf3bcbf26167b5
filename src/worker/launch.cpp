#include "worker/launch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "bulkhead/worker.hpp"
#include "platform/log.hpp"

namespace bulkhead {

Launch Launch::self() { return {}; }

Launch Launch::executable(std::filesystem::path program) {
  Launch launch;
  launch.program_ = std::move(program);
  return launch;
}

Launch& Launch::arg(std::string argument) {
  arguments_.push_back(std::move(argument));
  return *this;
}

Launch& Launch::args(std::vector<std::string> arguments) {
  for (auto& argument : arguments) arg(std::move(argument));
  return *this;
}

Launch& Launch::env(std::string name, std::string value) {
  environment_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Launch& Launch::working_directory(std::filesystem::path directory) {
  directory_ = std::move(directory);
  return *this;
}

namespace worker {

namespace {

std::chrono::milliseconds overridden(std::chrono::milliseconds configured) {
  const char* const variable = std::getenv("BULKHEAD_CONNECT_TIMEOUT");
  const std::string_view text = variable ? variable : "";
  if (text.empty() || text == "0") return configured;
  std::uint32_t seconds = 0;
  const auto parsed = std::from_chars(text.begin(), text.end(), seconds);
  if (parsed.ec == std::errc{} && parsed.ptr == text.end() && seconds > 0)
    return std::chrono::seconds(seconds);
  platform::logger()->warn(
      "BULKHEAD_CONNECT_TIMEOUT is \"{}\", which is no whole number of seconds from 1: ignored",
      text);
  return configured;
}

}  // namespace

std::chrono::milliseconds connect_timeout(std::chrono::milliseconds configured) {
  // A longer one would leave the range of the clock.
  return std::min<std::chrono::milliseconds>(overridden(configured), std::chrono::years(10));
}

RunningCall running_call(const rpc::OpenCall& open, std::chrono::steady_clock::time_point end) {
  const auto age = std::max(end - open.since, std::chrono::steady_clock::duration::zero());
  return {.request = std::string(open.call->type->name),
          .id = open.id,
          .attempt = open.life.attempt(),
          .age = std::chrono::duration_cast<std::chrono::milliseconds>(age)};
}

}  // namespace worker
}  // namespace bulkhead
