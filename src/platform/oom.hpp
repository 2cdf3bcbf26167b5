// Processes that the kernel has killed because memory ran out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bulkhead::platform {

// What memory.events of a cgroup, or /proc/vmstat, say of it. Empty: nothing.
std::optional<std::uint64_t> oom_kills_in(std::string_view text);
// On this machine, since it was started.
std::optional<std::uint64_t> oom_kills();

}  // namespace bulkhead::platform
