#include "worker/crash_stack.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "platform/symbols.hpp"
#include "process/output.hpp"

namespace bulkhead::worker {

namespace {

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 24> text;
  const int size =
      std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(number));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string plain_line(const platform::Frame& frame) {
  const auto end = std::find(frame.name.begin(), frame.name.end(), '\0');
  if (end == frame.name.begin()) return hexadecimal(frame.pc);
  return process::printable({frame.name.begin(), end}) + "+" + hexadecimal(frame.pc - frame.base);
}

// The files of one stack, each opened once.
class Names {
 public:
  explicit Names(const platform::Modules& trusted) : trusted_(trusted) {}

  std::string of(const platform::Frame& frame) {
    const auto module = std::find_if(trusted_.begin(), trusted_.end(), [&](const auto& one) {
      return one.device == frame.device && one.inode == frame.inode;
    });
    if (module == trusted_.end()) return {};
    const auto symbols = opened_.try_emplace(&*module, *module).first;
    return process::printable(symbols->second.name(frame.pc - frame.base));
  }

 private:
  const platform::Modules& trusted_;
  std::map<const platform::Module*, platform::Symbols> opened_;
};

}  // namespace

std::vector<std::string> CrashStack::lines() const {
  const platform::Modules none;
  Names names(trusted_ ? *trusted_ : none);
  std::vector<std::string> lines;
  for (const platform::Frame& frame : frames_) {
    std::string name = names.of(frame);
    lines.push_back(name.empty() ? plain_line(frame) : std::move(name));
  }
  return lines;
}

const CrashReport& CrashStack::explain(const CrashReport& report) {
  std::call_once(once_, [&] {
    CrashReport explained = report;
    explained.raw_stack.reset();  // which is this
    explained.stack = lines();
    explained_ = std::move(explained);
  });
  return explained_;
}

}  // namespace bulkhead::worker

namespace bulkhead {

// Without memory for it there is no stack to tell.
const CrashReport* Error::crash() const noexcept {
  try {
    return crash_ ? &detail::Reports::explained(*crash_) : nullptr;
  } catch (...) {
    return crash_.get();
  }
}

}  // namespace bulkhead
