#include "platform/modules.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <sstream>

#include "platform/fd.hpp"

namespace bulkhead::platform {

// "55d0-55d8 r-xp 00001000 fe:00 247134    /usr/bin/cat"
Modules parse_modules(std::string_view maps) {
  Modules modules;
  std::istringstream lines{std::string(maps)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string range, rights, offset;
    unsigned major = 0, minor = 0;
    char colon = 0;
    Module module;
    fields >> range >> rights >> offset >> std::hex >> major >> colon >> minor >> std::dec >>
        module.inode >> std::ws;
    if (!std::getline(fields, module.path) || module.path.front() != '/') continue;
    module.device = ::makedev(major, minor);
    const bool known = !modules.empty() && modules.back().path == module.path;
    if (rights.find('x') != std::string::npos && !known) modules.push_back(std::move(module));
  }
  return modules;
}

Modules modules_of(pid_t pid) {
  return parse_modules(read_file("/proc/" + std::to_string(pid) + "/maps"));
}

}  // namespace bulkhead::platform
