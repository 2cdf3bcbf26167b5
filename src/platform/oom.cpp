#include "platform/oom.hpp"

#include <charconv>

#include "platform/fd.hpp"

namespace bulkhead::platform {

std::optional<std::uint64_t> oom_kills_in(std::string_view text) {
  constexpr std::string_view name = "oom_kill ";
  while (!text.starts_with(name)) {
    const auto end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  text.remove_prefix(name.size());
  std::uint64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  return read.ec == std::errc() ? std::optional(count) : std::nullopt;
}

std::optional<std::uint64_t> oom_kills() { return oom_kills_in(read_file("/proc/vmstat")); }

}  // namespace bulkhead::platform
