// What of a Sandbox can be enforced here, and by what: decided from what a probe has found.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "bulkhead/sandbox.hpp"
#include "platform/limits.hpp"
#include "platform/pidfd.hpp"
#include "worker/confinement.hpp"

namespace bulkhead::worker {

// Each limit, with where a Sandbox asks for it and a Containment tells of it. That of memory is set
// last: setting the others takes some.
struct LimitRow {
  const char* name;
  platform::Resource resource;
  std::optional<std::uint64_t> Sandbox::Limits::*limit;
  Containment::Measure Containment::*measure;
  const char* controller = nullptr;  // of the cgroup that limits it better
};
inline constexpr std::array all_limits{
    LimitRow{"cpu", platform::Resource::cpu, &Sandbox::Limits::cpu, &Containment::cpu},
    LimitRow{"open_files", platform::Resource::open_files, &Sandbox::Limits::open_files,
             &Containment::open_files},
    LimitRow{"file_size", platform::Resource::file_size, &Sandbox::Limits::file_size,
             &Containment::file_size},
    LimitRow{"processes", platform::Resource::processes, &Sandbox::Limits::processes,
             &Containment::processes, "pids"},
    LimitRow{"core", platform::Resource::core, &Sandbox::Limits::core, &Containment::core},
    LimitRow{"memory", platform::Resource::memory, &Sandbox::Limits::memory, &Containment::memory,
             "memory"},
};

inline constexpr std::array<std::pair<const char*, Containment::Measure Containment::*>, 10>
    all_measures{{{"no_new_privs", &Containment::no_new_privs},
                  {"core", &Containment::core},
                  {"descriptors", &Containment::descriptors},
                  {"session", &Containment::session},
                  {"tree", &Containment::tree},
                  {"memory", &Containment::memory},
                  {"cpu", &Containment::cpu},
                  {"open_files", &Containment::open_files},
                  {"file_size", &Containment::file_size},
                  {"processes", &Containment::processes}}};

// What a probe has found, of the limits that are asked for.
struct Means {
  bool cgroup = false;                                   // each worker has one
  std::optional<std::string> no_cgroup_for_memory = {};  // why it does not limit it
  std::optional<std::string> no_cgroup_for_processes = {};
  std::set<platform::Resource> refused = {};  // which the process itself cannot have
  bool pipes_cores = false;                   // core dumps go to a program
};

struct Judgement {
  Containment containment;
  Confinement own;      // what is left to the worker itself
  std::string missing;  // what was asked for and cannot be had, and why, in words; or nothing
};
Judgement judge(const Confinement& asked, const Means& means);

// Of workers that are threads of the app.
Containment nothing_in_force();

// Which of its limits ended a worker, as Sandbox names it; empty: none. The same signals may come
// from anybody: the one for CPU time counts if at least half of it is used up, since the kernel
// counts it by ticks; then, for one that lives on, comes SIGKILL.
std::string limit_that_ended(const platform::Ending& ending, const Sandbox::Limits& limits);

}  // namespace bulkhead::worker
