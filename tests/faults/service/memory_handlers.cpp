#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;
using platform::Fd;

constexpr std::size_t page = 4096;

bool is_shared_memory(const std::string& name) {
  return name.starts_with("/dev/shm/bulkhead-") || name.starts_with("/memfd:bulkhead-");
}

struct Range {
  std::uintptr_t begin = 0, end = 0;
  bool writable = false;
  std::string in_map_files, name;
};

std::vector<Range> shared_memory_of(pid_t pid) {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    Range range;
    std::string rights, skipped;
    std::istringstream words(line);
    words >> range.in_map_files >> rights >> skipped >> skipped >> skipped >> range.name;
    if (!is_shared_memory(range.name)) continue;
    const char* const text = range.in_map_files.data();
    const char* const text_end = text + range.in_map_files.size();
    const char* const dash = std::from_chars(text, text_end, range.begin, 16).ptr;
    std::from_chars(dash + 1, text_end, range.end, 16);
    range.writable = rights.starts_with("rw");
    ranges.push_back(range);
  }
  return ranges;
}

// Notes the ways that are open.
class Attack {
 public:
  void by_path(const std::string& path, const std::string& what) {
    if (::truncate(path.c_str(), 0) == 0) note("truncate", path, what);
    by_descriptor(Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC)), path, what);
    by_descriptor(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path, what);
  }

  void by_descriptors_of(pid_t pid) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_of(pid) + "/fd", ignored)) {
      const fs::path target = fs::read_symlink(entry.path(), ignored);
      if (!is_shared_memory(target)) continue;
      by_path(entry.path(), target);
      const int number = std::stoi(entry.path().filename());
      by_descriptor(Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0))),
                    "pidfd_getfd of " + entry.path().string(), target);
    }
  }

  void by_mappings_of(pid_t pid) {
    for (const Range& range : shared_memory_of(pid))
      by_path(folder_of(pid) + "/map_files/" + range.in_map_files, range.name);
  }

  void by_own_mappings() {
    for (const Range& range : shared_memory_of(::getpid())) {
      void* const at = reinterpret_cast<void*>(range.begin);
      if (range.writable) continue;  // PunchHoles
      if (::mprotect(at, page, PROT_READ | PROT_WRITE) == 0) note("mprotect", "", range.name);
      if (::madvise(at, page, MADV_REMOVE) == 0) note("madvise", "", range.name);
    }
  }

  void by_names() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/dev/shm", ignored))
      if (is_shared_memory(entry.path()) && is_of_this_user(entry.path()))
        by_path(entry.path(), entry.path());
  }

  std::vector<std::string> open_ways;

 private:
  static std::string folder_of(pid_t pid) { return "/proc/" + std::to_string(pid); }
  static bool is_of_this_user(const fs::path& path) { return ::access(path.c_str(), R_OK) == 0; }

  void by_descriptor(const Fd& file, const std::string& path, const std::string& what) {
    if (!file) return;
    constexpr int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (::ftruncate(file.get(), 0) == 0) note("ftruncate", path, what);
    const bool is_to_be_written = (::fcntl(file.get(), F_GET_SEALS) & F_SEAL_FUTURE_WRITE) == 0;
    if (is_to_be_written) return;  // PunchHoles: it is a channel's
    if (::fallocate(file.get(), hole, 0, page) == 0) note("fallocate", path, what);
  }

  void note(const char* call, const std::string& path, const std::string& what) {
    open_ways.push_back(std::string(call) + ' ' + path + ' ' + what);
  }
};

pid_t parent_of(pid_t pid) {
  const std::string stat = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
  return platform::parse_process_stat(stat).value().parent;
}

}  // namespace

std::vector<std::string> shrink_memory(ShrinkMemory request) {
  request.channel.send(request.buffer.size());
  const pid_t server = ::getppid(), app = parent_of(server);
  std::vector<pid_t> all = platform::children_of(server);
  all.push_back(server);
  all.push_back(app);
  Attack attack;
  for (const pid_t pid : all) {
    attack.by_descriptors_of(pid);
    attack.by_mappings_of(pid);
  }
  attack.by_own_mappings();
  attack.by_names();
  return attack.open_ways;
}

void punch_holes(PunchHoles request) {
  for (std::uint64_t number = 0; !fs::exists(request.until); ++number) {
    if (number % 16 == 0) request.channel.send(number);
    for (const Range& range : shared_memory_of(::getpid()))
      if (range.writable)
        ::madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin, MADV_REMOVE);
  }
}

}  // namespace bulkhead::test
