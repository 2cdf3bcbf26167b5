#include "platform/limits.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "platform/fd.hpp"

namespace bulkhead::platform {

namespace {

constexpr rlim_t own_descriptors = 32;  // the library's: connection, channels, buffers on their way

struct Row {
  __rlimit_resource number;
  const char* name;
};

Row row_of(Resource resource) {
  switch (resource) {
    case Resource::memory:
      return {RLIMIT_AS, "RLIMIT_AS"};
    case Resource::cpu:
      return {RLIMIT_CPU, "RLIMIT_CPU"};
    case Resource::open_files:
      return {RLIMIT_NOFILE, "RLIMIT_NOFILE"};
    case Resource::file_size:
      return {RLIMIT_FSIZE, "RLIMIT_FSIZE"};
    case Resource::processes:
      return {RLIMIT_NPROC, "RLIMIT_NPROC"};
    case Resource::core:
      break;
  }
  return {RLIMIT_CORE, "RLIMIT_CORE"};
}

rlim_t mapped_bytes() {
  const std::string pages = read_file("/proc/self/statm");
  return std::strtoull(pages.c_str(), nullptr, 10) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

rlim_t open_descriptors() {
  std::error_code ignored;
  const std::filesystem::directory_iterator open("/proc/self/fd", ignored);
  return static_cast<rlim_t>(std::distance(begin(open), end(open)));
}

// What it has already, and does not count.
rlim_t already(Resource resource) {
  if (resource == Resource::memory) return mapped_bytes();
  if (resource == Resource::open_files) return open_descriptors() + own_descriptors;
  return 0;
}

rlim_t sum(rlim_t a, rlim_t b) { return std::min(a, RLIM_INFINITY - b) + b; }

// A signal of its own comes at the soft limit of CPU time, and SIGKILL at the hard one.
rlimit to_be(Resource resource, std::uint64_t value) {
  const rlim_t soft = sum(already(resource), value);
  return {soft, resource == Resource::cpu ? sum(soft, 1) : soft};
}

bool can_map(std::uint64_t bytes) {
  void* const at = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at != MAP_FAILED) ::munmap(at, bytes);
  return at != MAP_FAILED;
}

bool can_fork() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return child > 0;
}

// With room for no more processes than there are.
bool binds_processes() noexcept {
  const rlimit one{1, 1};
  return ::setrlimit(RLIMIT_NPROC, &one) == 0 && !can_fork();
}

}  // namespace

std::string limit_name(Resource resource) { return row_of(resource).name; }

void limit(Resource resource, std::uint64_t value) {
  const auto& [number, name] = row_of(resource);
  rlimit now{}, asked = to_be(resource, value);
  int failed = ::getrlimit(number, &now);
  asked.rlim_max = std::min(asked.rlim_max, now.rlim_max);
  asked.rlim_cur = std::min(asked.rlim_cur, asked.rlim_max);
  if (failed == 0) failed = ::setrlimit(number, &asked);
  if (failed != 0) throw_errno(std::string("cannot set ") + name);
}

bool limit_holds(Resource resource, std::uint64_t value) noexcept {
  try {
    limit(resource, value);
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (resource == Resource::memory) return !can_map(sum(value, page));
    if (resource == Resource::processes) return binds_processes();
    return true;
  } catch (...) {
    return false;
  }
}

bool pipes_core_dumps() { return read_file("/proc/sys/kernel/core_pattern").starts_with('|'); }

}  // namespace bulkhead::platform
