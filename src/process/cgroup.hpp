// One directory of the cgroup v2 hierarchy, made by us: the processes in it, and all that they
// start, whatever they do to their sessions and parents. Killing it misses none, not even one that
// is forking. Single-threaded. A directory whose processes the kernel cannot kill stays behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/fd.hpp"

namespace bulkhead::process {

class Cgroup {
 public:
  // Makes the directory. Throws std::system_error, also where the file system is read-only or the
  // directory above is not ours to use.
  static Cgroup make(const std::string& path);
  // One that is there already; empty if it is not.
  static std::optional<Cgroup> open(const std::string& path);

  const std::string& path() const { return path_; }
  const platform::Fd& directory() const { return directory_; }
  platform::Fd open_procs() const;  // cgroup.procs, for writing

  // Those that live: zombies are in no cgroup. Not those of cgroups below.
  std::vector<pid_t> members() const;
  // Whether it can limit what is of this kind, as "memory" or "pids".
  bool has_controller(const std::string& name) const;
  // So can those below it from then on. It must have no processes itself. Throws std::system_error.
  void pass_on(const std::string& controller) const;
  // Of this one, as "memory.max". Throws std::system_error.
  void limit(const std::string& file, std::uint64_t value) const;

  // Whether a process lives in it or below.
  bool populated() const;
  // Processes in it and below that were killed for want of memory; negative: nobody counts.
  std::int64_t oom_kills() const;
  // SIGKILL to all in it and below. They are not gone when it returns.
  void kill() const;
  bool wait_empty(std::chrono::milliseconds timeout) const;
  // Kills, waits and removes it with the cgroups below: false when something lives on.
  bool remove(std::chrono::milliseconds timeout) const;

 private:
  Cgroup(std::string path, platform::Fd directory);

  std::string path_;
  platform::Fd directory_;
};

// Where this process's own cgroup v2 is mounted, if it is.
std::optional<std::string> own_cgroup();
// The same, from the texts of /proc/self/cgroup and /proc/self/mountinfo.
std::optional<std::string> find_own_cgroup(std::string_view cgroups, std::string_view mounts);

}  // namespace bulkhead::process
