#include "platform/fault.hpp"

#ifdef BULKHEAD_FAULT_POINTS

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/fd.hpp"

namespace bulkhead::platform {
namespace {

enum class Action { kill, abort, signal, exit, stop, stall, error, shorten };

struct ActionName {
  std::string_view text;
  Action action;
  bool takes_value;
};
constexpr std::array<ActionName, 8> action_names{{{"kill", Action::kill, false},
                                                  {"abort", Action::abort, false},
                                                  {"signal", Action::signal, true},
                                                  {"exit", Action::exit, true},
                                                  {"stop", Action::stop, false},
                                                  {"stall", Action::stall, false},
                                                  {"errno", Action::error, true},
                                                  {"short", Action::shorten, true}}};

struct Fault {
  std::string point;
  std::uint64_t nth = 0;  // 0: every time
  Action action = Action::kill;
  int value = 0;
  std::uint64_t hits = 0;
};

[[noreturn]] void refuse(std::string_view entry, const char* why) {
  const std::string text = "BULKHEAD_FAULT: \"" + std::string(entry) + "\": " + why + "\n";
  std::fputs(text.c_str(), stderr);
  ::_exit(64);
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view cut(std::string_view& text, char at) {
  const auto end = text.find(at);
  const auto first = text.substr(0, end);
  text = end == text.npos ? std::string_view() : text.substr(end + 1);
  return first;
}

Fault parse(std::string_view entry) {
  Fault fault;
  std::string_view rest = entry;
  fault.point = cut(rest, ':');
  const auto nth = cut(rest, ':');
  if (fault.point.empty() || nth.empty() || rest.empty())
    refuse(entry, "it is not point:nth:action");
  if (nth != "*") {
    fault.nth = to_number<std::uint64_t>(nth).value_or(0);
    if (fault.nth == 0) refuse(entry, "nth is neither a number from 1 nor *");
  }
  const auto name = cut(rest, '=');
  for (const ActionName& known : action_names) {
    if (known.text != name) continue;
    fault.action = known.action;
    const auto value = to_number<int>(rest);
    if (known.takes_value && (!value || *value < 0)) refuse(entry, "the action needs =N");
    if (!known.takes_value && !rest.empty()) refuse(entry, "the action takes no value");
    fault.value = value.value_or(0);
    return fault;
  }
  refuse(entry, "there is no such action");
}

std::vector<Fault> parse_all(std::string_view setting) {
  std::vector<Fault> faults;
  while (!setting.empty()) faults.push_back(parse(cut(setting, ';')));
  return faults;
}

class Faults {
 public:
  explicit Faults(std::string_view setting) { use(setting); }

  void use(std::string_view setting) {
    file_ = setting.starts_with('@') ? setting.substr(1) : "";
    said_.clear();
    faults_ = parse_all(file_.empty() ? setting : "");
  }

  // Counts, and tells what is to be done now.
  std::vector<Fault> due(std::string_view point) {
    if (!file_.empty()) look();
    std::vector<Fault> found;
    for (Fault& fault : faults_)
      if (fault.point == point && (++fault.hits == fault.nth || fault.nth == 0))
        found.push_back(fault);
    return found;
  }

 private:
  void look() {
    auto says = read_file(file_);
    if (says == said_) return;
    faults_ = parse_all(says);
    said_ = std::move(says);
  }

  std::string file_, said_;
  std::vector<Fault> faults_;
};

struct State {
  static const char* environment() {
    const char* const setting = std::getenv("BULKHEAD_FAULT");
    return setting == nullptr ? "" : setting;
  }
  std::mutex mutex;
  Faults faults{environment()};  // guarded by mutex
};

std::atomic<FaultHook> fault_hook{nullptr};

State& state() {
  static State& kept = *new State;  // never destroyed: points are met until the very end
  return kept;
}

std::vector<Fault> due(std::string_view point) {
  const std::lock_guard lock(state().mutex);
  return state().faults.due(point);
}

void perform(const Fault& fault) {
  switch (fault.action) {
    case Action::kill:
      ::kill(::getpid(), SIGKILL);
      break;
    case Action::abort:
      std::abort();
    case Action::signal:
      ::raise(fault.value);
      break;
    case Action::exit:
      ::_exit(fault.value);
    case Action::stop:
      ::raise(SIGSTOP);  // to this thread: sent to the process, it could go on for a while
      break;
    case Action::stall:
      for (;;) ::pause();
    case Action::error:  // for who makes the system call to do
    case Action::shorten:
      break;
  }
}

std::vector<Fault> meet(std::string_view point) {
  if (const FaultHook hook = fault_hook.load()) hook(point);
  auto met = due(point);
  for (const Fault& fault : met) perform(fault);
  return met;
}

}  // namespace

int fault_errno(std::string_view point) {
  for (const Fault& fault : meet(point))
    if (fault.action == Action::error) return fault.value;
  return 0;
}

std::size_t fault_length(std::string_view point, std::size_t bytes) {
  for (const Fault& fault : meet(point))
    if (fault.action == Action::shorten) bytes = std::min(bytes, std::size_t(fault.value));
  return bytes;
}

void set_fault_hook(FaultHook hook) { fault_hook = hook; }

void use_faults(std::string_view setting) {
  const std::lock_guard lock(state().mutex);
  state().faults.use(setting);
}

}  // namespace bulkhead::platform

#endif
