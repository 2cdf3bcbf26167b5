#include "support/blocked.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>

#include "platform/fd.hpp"

namespace bulkhead::test {
namespace {

namespace fs = std::filesystem;

struct SystemCall {
  long number = -1;
  std::array<std::uint64_t, 6> arguments{};
};

std::optional<SystemCall> parse(const std::string& line) {
  std::istringstream words(line);
  SystemCall call;
  if (!(words >> call.number) || call.number < 0) return std::nullopt;
  for (auto& argument : call.arguments) words >> std::hex >> argument;
  return call;
}

std::optional<SystemCall> look(const fs::path& thread) {
  return parse(platform::read_file(thread / "syscall"));
}

bool is_poll(long number) {
#ifdef SYS_poll
  if (number == SYS_poll) return true;
#endif
  return number == SYS_ppoll;
}

bool has_no_end(const SystemCall& call) {
  const auto never = [](std::uint64_t milliseconds) {
    return static_cast<std::int32_t>(milliseconds) < 0;
  };
  switch (call.number) {
#ifdef SYS_poll
    case SYS_poll:
      return never(call.arguments[2]);
#endif
    case SYS_ppoll:
      return call.arguments[2] == 0;
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait:
      return never(call.arguments[3]);
    case SYS_futex:
      return call.arguments[3] == 0;
    case SYS_recvfrom:
      return (call.arguments[3] & MSG_DONTWAIT) == 0;
    default:
      return false;
  }
}

bool has_a_timer_set(const fs::path& process) {
  const std::string line = "it_value: (";
  for (const auto& entry : fs::directory_iterator(process / "fdinfo")) {
    const std::string info = platform::read_file(entry.path());
    const auto at = info.find(line);
    if (at != info.npos && !info.substr(at + line.size()).starts_with("0, 0)")) return true;
  }
  return false;
}

}  // namespace

std::optional<long> system_call_of(pid_t process, pid_t thread) {
  const auto call = look("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread));
  if (!call) return std::nullopt;
  return call->number;
}

bool is_polling(pid_t thread) { return is_poll(system_call_of(thread, thread).value_or(-1)); }

bool waits_for_ever(pid_t process, pid_t but_thread) {
  const fs::path directory = "/proc/" + std::to_string(process);
  for (const auto& thread : fs::directory_iterator(directory / "task")) {
    if (thread.path().filename() == std::to_string(but_thread)) continue;
    const auto call = look(thread.path());
    if (!call || !has_no_end(*call)) return false;
  }
  return !has_a_timer_set(directory);
}

}  // namespace bulkhead::test
