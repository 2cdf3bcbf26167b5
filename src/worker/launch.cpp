#include "worker/launch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "bulkhead/worker.hpp"
#include "platform/log.hpp"

namespace bulkhead {

namespace {

// What the kernel takes ends at the first zero byte.
void require(bool sound, const char* complaint) {
  if (!sound) throw std::invalid_argument(complaint);
}
bool whole(const std::string& text) { return text.find('\0') == text.npos; }
bool names_file(const std::filesystem::path& path) { return !path.empty() && whole(path.native()); }

}  // namespace

Launch Launch::self() { return {}; }

Launch Launch::executable(std::filesystem::path program) {
  require(names_file(program), "Launch::executable needs the path of a program");
  Launch launch;
  launch.program_ = std::move(program);
  return launch;
}

Launch Launch::module(std::filesystem::path library, std::string packaged_worker) {
  require(names_file(library), "Launch::module needs the path of a shared library");
  Launch launch;
  launch.library_ = std::move(library);
  launch.packaged_worker_ = std::move(packaged_worker);
  return launch;
}

Launch& Launch::fresh(bool on) {
  fresh_ = on;
  return *this;
}

Launch& Launch::arg(std::string argument) {
  require(whole(argument), "Launch::arg must not hold a zero byte");
  arguments_.push_back(std::move(argument));
  return *this;
}

Launch& Launch::args(std::vector<std::string> arguments) {
  for (auto& argument : arguments) arg(std::move(argument));
  return *this;
}

Launch& Launch::env(std::string name, std::string value) {
  require(!name.empty() && whole(name) && name.find('=') == name.npos,
          "Launch::env needs a name, without = and zero bytes");
  require(whole(value), "Launch::env must not hold a zero byte in its value");
  environment_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Launch& Launch::working_directory(std::filesystem::path directory) {
  require(names_file(directory), "Launch::working_directory needs the path of a directory");
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

std::vector<RunningCall> running_calls(const rpc::AppEnd& connection,
                                       std::chrono::steady_clock::time_point now) {
  std::vector<RunningCall> running;
  for (const rpc::OpenCall* const open : connection.begun())
    running.push_back(running_call(*open, now));
  return running;
}

}  // namespace worker
}  // namespace bulkhead
