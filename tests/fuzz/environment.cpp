// What a launched program, and an app, read in their environment. An input is what env(1) prints
// with -0: NAME=value and a zero byte, again and again.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bulkhead/log.hpp"
#include "fuzz/input.hpp"
#include "worker/handshake.hpp"
#include "worker/launch.hpp"
#include "worker/plan.hpp"

namespace {

using namespace bulkhead;

constexpr std::array names = {
    "BULKHEAD_PROTOCOL",   "BULKHEAD_SERVICE",         "BULKHEAD_CONTROL", "BULKHEAD_DEPTH",
    "BULKHEAD_HUGE_PAGES", "BULKHEAD_CONNECT_TIMEOUT", "GLIBC_TUNABLES"};

void set_all(std::string_view text) {
  for (const char* name : names) ::unsetenv(name);
  while (!text.empty()) {
    const std::string entry(text.substr(0, text.find('\0')));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    const std::size_t end = entry.find('=');
    if (end == entry.npos) continue;
    const std::string name = entry.substr(0, end);
    if (std::ranges::count(names, std::string_view(name),
                           [](auto* each) { return std::string_view(each); }) != 0)
      ::setenv(name.c_str(), entry.c_str() + end + 1, 1);
  }
}

void plan() {
  try {
    const auto program = worker::fork_server_program(Launch::executable("/bin/true"), "calculator");
    fuzz::require(program.environment.size() >= 4);
  } catch (const Error& error) {
    fuzz::require(error.code() == errc::start_failed);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool silent = [] {
    set_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>()));
    return true;
  }();
  fuzz::require(silent);
  set_all({reinterpret_cast<const char*>(data), size});
  using namespace std::chrono_literals;
  const auto timeout = worker::connect_timeout(5s);
  fuzz::require(timeout > 0ms);
  fuzz::require(std::chrono::steady_clock::now() + timeout > std::chrono::steady_clock::now());
  plan();
  if (const auto launched = worker::launched()) fuzz::require(launched->control >= -1);
  worker::forget_launch();
  fuzz::require(!worker::launched());
  return 0;
}
