#include "platform/proc.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>

#include "platform/fd.hpp"
#include "platform/stand_in.hpp"

namespace bulkhead::platform {
namespace {

std::optional<pid_t> to_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::optional<ProcessStat> stat_of(pid_t pid) {
  return parse_process_stat(read_file("/proc/" + std::to_string(pid) + "/stat"));
}

std::vector<ProcessStat> all_processes() {
  std::vector<ProcessStat> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto pid = to_pid(entry.path().filename().native());
    if (!pid) continue;
    if (const auto stat = stat_of(*pid)) found.push_back(*stat);
  }
  return found;
}

// The kernel's own lists, one for each thread; not every kernel is built with them.
std::optional<std::vector<pid_t>> listed_children(pid_t pid) {
  static const bool has_lists = std::filesystem::exists("/proc/thread-self/children");
  if (!has_lists) return std::nullopt;
  std::vector<pid_t> children;
  std::error_code ignored;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    std::istringstream list(read_file(task.path().native() + "/children"));
    children.insert(children.end(), std::istream_iterator<pid_t>(list), {});
  }
  return children;
}

void control(int option, unsigned long value, const char* what) {
  if (::prctl(option, value, 0UL, 0UL, 0UL) != 0) throw_errno(what);
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
  // The name between the parentheses is the process's own choice and may look like anything.
  const auto name_end = line.rfind(')');
  const auto pid = to_pid(line.substr(0, line.find(' ')));
  if (!pid || name_end == line.npos) return std::nullopt;
  ProcessStat stat;
  stat.pid = *pid;
  std::istringstream rest{std::string(line.substr(name_end + 1))};
  std::string skipped;
  rest >> stat.state >> stat.parent;
  for (int field = 5; field < 9; ++field) rest >> skipped;
  unsigned long flags = 0;
  rest >> flags;
  constexpr unsigned long exiting = 4;  // PF_EXITING
  stat.exiting = (flags & exiting) != 0;
  for (int field = 10; field < 22; ++field) rest >> skipped;
  rest >> stat.start_time;
  if (!rest) return std::nullopt;
  return stat;
}

std::optional<std::uint64_t> start_time(pid_t pid) {
  const auto stat = stat_of(pid);
  if (!stat) return std::nullopt;
  return stat->start_time;
}

std::vector<pid_t> children_of(pid_t pid) {
  if (auto listed = listed_children(pid)) return *std::move(listed);
  std::vector<pid_t> children;
  for (const ProcessStat& process : all_processes())
    if (process.parent == pid) children.push_back(process.pid);
  return children;
}

std::vector<ProcessStat> descendants_of(const std::vector<pid_t>& pids) {
  std::multimap<pid_t, ProcessStat> by_parent;
  for (const ProcessStat& process : all_processes()) by_parent.emplace(process.parent, process);
  std::vector<ProcessStat> family;
  // Taking them out ends it also where an id was reused while we read.
  const auto take_children = [&](pid_t parent) {
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto child = first; child != last; ++child) family.push_back(child->second);
    by_parent.erase(first, last);
  };
  for (const pid_t pid : pids) take_children(pid);
  for (std::size_t next = 0; next < family.size(); ++next) take_children(family[next].pid);
  return family;
}

std::size_t resident_bytes(pid_t pid) {
  std::istringstream pages(read_file("/proc/" + std::to_string(pid) + "/statm"));
  std::size_t size = 0, resident = 0;
  pages >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

pid_t own_pid() noexcept { return ::getpid(); }
pid_t parent_pid() noexcept { return ::getppid(); }

std::size_t thread_count() {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    const auto stat = parse_process_stat(read_file(task.path().native() + "/stat"));
    if (stat && !stat->exiting) ++count;
  }
  return count;
}

std::vector<std::string> own_arguments() {
  std::istringstream line(read_file("/proc/self/cmdline"));
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(line, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    variables.emplace_back(*entry);
  return variables;
}

void set_process_name(std::string_view name) {
  const std::string kept(name.substr(0, 15));
  if (::prctl(PR_SET_NAME, kept.c_str(), 0, 0, 0) != 0) throw_errno("cannot name the process");
}

void set_subreaper() { control(PR_SET_CHILD_SUBREAPER, 1, "cannot become a subreaper"); }

void set_parent_death_signal(int number) {
  control(PR_SET_PDEATHSIG, static_cast<unsigned long>(number), "cannot ask for a death signal");
}

void set_no_new_privs() { control(PR_SET_NO_NEW_PRIVS, 1, "cannot give up new privileges"); }

void forbid_core_dumps() {
  // The limit alone does not hold where the kernel pipes core dumps to a program.
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) throw_errno("cannot forbid core dumps");
  control(PR_SET_DUMPABLE, 0, "cannot become undumpable");
}

bool dumps_core() noexcept { return ::prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) != 0; }

rusage own_usage() noexcept {
  rusage own{}, children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  timeradd(&own.ru_utime, &children.ru_utime, &own.ru_utime);
  timeradd(&own.ru_stime, &children.ru_stime, &own.ru_stime);
  own.ru_maxrss = std::max(own.ru_maxrss, children.ru_maxrss);
  return own;
}

void new_session() {
  if (::setsid() < 0) throw_errno("cannot begin a session");
}

void exit_now(int code) {
  if (stands_in()) throw StandInEnded{code};
  ::_exit(code);
}

}  // namespace bulkhead::platform
