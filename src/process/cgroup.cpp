#include "process/cgroup.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "platform/oom.hpp"
#include "platform/pidfd.hpp"
#include "process/members.hpp"

namespace bulkhead::process {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds until(Clock::time_point end) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end - Clock::now()));
}

std::vector<std::string> directories_in(const std::string& path) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (entry.is_directory(ignored)) found.push_back(entry.path().native());
  return found;
}

// For kernels before 5.14, which have no cgroup.kill.
void kill_one_by_one(const std::string& path) {
  for (const std::string& below : directories_in(path)) kill_one_by_one(below);
  kill_members([&] { return pids_in(platform::read_file(path + "/cgroup.procs")); });
}

bool says_populated(const std::string& events) {
  return events.find("populated 1") != std::string::npos;
}

// Removes the leaves first. What is there besides directories belongs to the kernel.
bool remove_directories(const std::string& path) {
  for (const std::string& below : directories_in(path)) remove_directories(below);
  std::error_code error;
  fs::remove(path, error);
  return !fs::exists(path, error);
}

void write(const std::string& file, const std::string& text) {
  if (const int error = platform::write_file(file, text); error != 0)
    throw std::system_error(error, std::generic_category(), "cannot write " + text + " to " + file);
}

// mountinfo writes a space in a path as \040.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain +=
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 3)).c_str(), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// The path `inside` of the hierarchy, below a mount point that shows it from `root` on.
std::optional<std::string> mounted_at(const std::string& point, const std::string& root,
                                      const std::string& inside) {
  if (root == "/") return inside == "/" ? point : point + inside;
  if (inside == root) return point;
  if (inside.starts_with(root + "/")) return point + inside.substr(root.size());
  return std::nullopt;
}

// The kernel puts changes off that follow others closely, by a timer that an idle processor may
// serve as late as it pleases: a second has been seen.
constexpr milliseconds look_again{10};

}  // namespace

Cgroup::Cgroup(std::string path, platform::Fd directory)
    : path_(std::move(path)), directory_(std::move(directory)) {}

Cgroup Cgroup::make(const std::string& path) {
  std::error_code error;
  if (!fs::create_directory(path, error)) {
    if (!error) error = std::make_error_code(std::errc::file_exists);
    throw std::system_error(error, "cannot make the cgroup " + path);
  }
  return {path, platform::open_directory(path)};
}

std::optional<Cgroup> Cgroup::open(const std::string& path) {
  try {
    return Cgroup(path, platform::open_directory(path));
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

platform::Fd Cgroup::open_procs() const {
  const std::string file = path_ + "/cgroup.procs";
  auto procs = platform::try_open(file, platform::Access::write);
  if (!procs) platform::throw_errno("cannot open " + file);
  return procs;
}

std::vector<pid_t> Cgroup::members() const {
  return pids_in(platform::read_file(path_ + "/cgroup.procs"));
}

bool Cgroup::has_controller(const std::string& name) const {
  std::istringstream words(platform::read_file(path_ + "/cgroup.controllers"));
  const std::vector<std::string> names(std::istream_iterator<std::string>(words), {});
  return std::ranges::find(names, name) != names.end();
}

void Cgroup::pass_on(const std::string& controller) const {
  write(path_ + "/cgroup.subtree_control", "+" + controller);
}

void Cgroup::limit(const std::string& file, std::uint64_t value) const {
  write(path_ + "/" + file, std::to_string(value));
}

bool Cgroup::populated() const {
  return says_populated(platform::read_file(path_ + "/cgroup.events"));
}

std::int64_t Cgroup::oom_kills() const {
  const auto count = platform::oom_kills_in(platform::read_file(path_ + "/memory.events"));
  return count ? static_cast<std::int64_t>(*count) : -1;
}

void Cgroup::kill() const {
  if (platform::write_file(path_ + "/cgroup.kill", "1") != 0) kill_one_by_one(path_);
}

bool Cgroup::wait_empty(milliseconds timeout) const {
  const auto end = Clock::now() + timeout;
  // What changes after a reading is an exceptional condition of this open file.
  const auto file = platform::try_open(path_ + "/cgroup.events", platform::Access::read);
  while (says_populated(platform::read_again(file))) {
    if (until(end) == milliseconds(0)) return false;
    platform::wait_ready(file, platform::Readiness::exceptional, std::min(until(end), look_again));
  }
  return true;
}

bool Cgroup::remove(milliseconds timeout) const {
  const auto end = Clock::now() + timeout;
  kill();
  return wait_empty(until(end)) && remove_directories(path_);
}

std::optional<std::string> own_cgroup() {
  return find_own_cgroup(platform::read_file("/proc/self/cgroup"),
                         platform::read_file("/proc/self/mountinfo"));
}

std::optional<std::string> find_own_cgroup(std::string_view cgroups, std::string_view mounts) {
  std::string inside;
  std::istringstream cgroup_lines{std::string(cgroups)};
  for (std::string line; std::getline(cgroup_lines, line);)
    if (line.starts_with("0::")) inside = line.substr(3);
  if (inside.empty()) return std::nullopt;

  // ID PARENT DEVICE ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS
  std::istringstream mount_lines{std::string(mounts)};
  for (std::string line; std::getline(mount_lines, line);) {
    std::istringstream words(line);
    const std::vector<std::string> fields(std::istream_iterator<std::string>(words), {});
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 5 || fields.end() - dash < 2 || dash[1] != "cgroup2") continue;
    if (auto path = mounted_at(unescape(fields[4]), unescape(fields[3]), inside)) return path;
  }
  return std::nullopt;
}

}  // namespace bulkhead::process
