#include "platform/host.hpp"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <array>

namespace bulkhead::platform {

std::string own_executable() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "worker";
}

std::string own_library() {
  Dl_info info{};
  const bool found = ::dladdr(reinterpret_cast<const void*>(&own_library), &info) != 0;
  return found && info.dli_fname != nullptr ? info.dli_fname : own_executable();
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name ? std::string("SIG") + name : "signal " + std::to_string(number);
}

}  // namespace bulkhead::platform
