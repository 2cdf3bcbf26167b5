// This process, and what /proc says about others. A process id is a hint: by the time that it is
// used its process may be gone, and another may bear the number. Hold a Pidfd before acting on it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bulkhead::platform {

// One line of /proc/PID/stat.
struct ProcessStat {
  pid_t pid = 0;
  char state = '?';  // Z: a zombie
  pid_t parent = 0;
  bool exiting = false;          // it runs no code of its own any more
  std::uint64_t start_time = 0;  // clock ticks since boot; with the id, names a process for good
};
std::optional<ProcessStat> parse_process_stat(std::string_view line);

// Empty when there is no such process.
std::optional<std::uint64_t> start_time(pid_t pid);
// Both have the zombies too. A process that forks meanwhile may be missed: ask again until none is
// left.
std::vector<pid_t> children_of(pid_t pid);
std::vector<ProcessStat> descendants_of(const std::vector<pid_t>& pids);

// Bytes of memory that it has in RAM, those that it shares included; 0 when there is no such
// process.
std::size_t resident_bytes(pid_t pid);

pid_t own_pid() noexcept;
pid_t parent_pid() noexcept;
// Without those that have been joined: the kernel may need a moment more to be rid of them.
std::size_t thread_count();
// This process's arguments, as it was started.
std::vector<std::string> own_arguments();
// This process's environment as NAME=value. Not while another thread changes it.
std::vector<std::string> environment();

// Each throws std::system_error when the kernel refuses.
void set_process_name(std::string_view name);  // what ps shows; 15 bytes are kept
void set_subreaper();                          // orphans below become children of this process
void set_parent_death_signal(int number);      // fires when the *thread* that forked this one ends
void set_no_new_privs();
void forbid_core_dumps();
bool dumps_core() noexcept;  // it was not forbidden, or is allowed again. Async-signal-safe
// CPU time and memory, of this process and of children that it has reaped. Async-signal-safe.
rusage own_usage() noexcept;
void new_session();

// Ends the process at once: no destructors, no atexit, no flush. A thread that stands for one
// (stand_in.hpp) throws instead.
[[noreturn]] void exit_now(int code);

}  // namespace bulkhead::platform
