// The files whose code a process has mapped: its program and its shared libraries.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bulkhead::platform {

struct Module {
  std::uint64_t device = 0, inode = 0;  // as stat() tells them
  std::string path;
};
using Modules = std::vector<Module>;

// Of the text of /proc/PID/maps. Each once.
Modules parse_modules(std::string_view maps);
// Empty when there is no such process.
Modules modules_of(pid_t pid);

}  // namespace bulkhead::platform
