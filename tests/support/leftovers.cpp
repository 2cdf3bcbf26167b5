#include "support/leftovers.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "process/cgroup.hpp"
#include "process/roof.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {
namespace {

namespace fs = std::filesystem;
using Found = std::map<std::string, std::string>;

template <class Visit>
void for_each_entry(const std::string& directory, Visit visit) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) visit(entry.path());
}

bool is_marked(pid_t pid, const std::string& mark) {
  const std::string environ = "/proc/" + std::to_string(pid) + "/environ";
  return platform::read_file(environ).find(mark) != std::string::npos;
}

Found processes(const std::string& mark) {
  std::set<pid_t> ours;
  for (const auto& process : platform::descendants_of({::getpid()})) ours.insert(process.pid);
  for_each_entry("/proc", [&](const fs::path& path) {
    const std::string name = path.filename();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0 && pid != ::getpid() && is_marked(pid, mark)) ours.insert(pid);
  });
  Found found;
  for (const pid_t pid : ours) {
    const std::string directory = "/proc/" + std::to_string(pid);
    const auto stat = platform::parse_process_stat(platform::read_file(directory + "/stat"));
    if (stat)
      found["process " + std::to_string(pid) + " from " + std::to_string(stat->start_time)] =
          platform::read_file(directory + "/comm") + " in state " + stat->state;
  }
  return found;
}

Found descriptors() {
  Found found;
  for_each_entry("/proc/self/fd", [&](const fs::path& path) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(path, gone);
    if (!gone && target != "/proc/" + std::to_string(::getpid()) + "/fd")
      found["descriptor " + path.filename().native() + " of " + target.native()];
  });
  return found;
}

Found threads() {
  Found found;
  for_each_entry("/proc/self/task", [&](const fs::path& path) {
    found["thread " + path.filename().native()] = platform::read_file(path / "comm");
  });
  return found;
}

Found names_in(const std::string& directory) {
  Found found;
  for_each_entry(directory, [&](const fs::path& path) {
    if (path.filename().native().starts_with("bulkhead-")) found[path.native()];
  });
  return found;
}

// Those of fork servers that live and are not ours belong to other test programs.
Found roofs(const std::string& mark) {
  Found found;
  for (const auto& [path, more] : names_in(process::own_cgroup().value_or("/nowhere"))) {
    const auto owner = process::parse_roof_name(fs::path(path).filename().native());
    if (!owner || !process::owner_lives(*owner) || is_marked(owner->pid, mark)) found[path] = more;
  }
  return found;
}

std::string lines(const Found& found) {
  std::string text;
  for (const auto& [name, more] : found) text += "\n  " + name + " " + more;
  return text;
}

// Other test programs run at the same time: theirs go too, while new ones come.
void keep_common(Found& left, const Found& now) {
  std::erase_if(left, [&](const auto& thing) { return !now.contains(thing.first); });
}

}  // namespace

Leftovers::Leftovers() : mark_("BULKHEAD_LEAK_CHECK=" + std::to_string(std::random_device()())) {
  // A sanitizer starts a thread of its own with the first of ours.
  if (BULKHEAD_SANITIZED) std::thread([] {}).join();
  const auto equals = mark_.find('=');
  ::setenv(mark_.substr(0, equals).c_str(), mark_.substr(equals + 1).c_str(), 1);
  kinds_.push_back({[this] { return processes(mark_); }, {}});
  kinds_.push_back({descriptors, {}});
  kinds_.push_back({threads, {}});
  kinds_.push_back({[] { return names_in("/dev/shm"); }, {}});
  kinds_.push_back({[this] { return roofs(mark_); }, {}});
  for (Kind& kind : kinds_) kind.before = kind.list();
}

Leftovers::~Leftovers() { ::unsetenv("BULKHEAD_LEAK_CHECK"); }

Leftovers::Found Leftovers::Kind::left() const {
  Found left = list();
  std::erase_if(left, [&](const auto& thing) { return before.contains(thing.first); });
  return left;
}

bool Leftovers::await_processes() const {
  return wait_until([&] { return processes(mark_).empty(); });
}

std::string Leftovers::processes_now() const { return lines(processes(mark_)); }

std::string Leftovers::await_none() const {
  std::string report;
  for (const Kind& kind : kinds_) {
    Found left = kind.left();
    const auto nothing_left = [&] {
      keep_common(left, kind.list());
      return left.empty();
    };
    if (wait_until(nothing_left)) continue;
    report += lines(left);
  }
  return report;
}

}  // namespace bulkhead::test
