// The workers of a fork server, each with all that it started, so that none of it survives.
//
// Every worker runs in a cgroup of its own where one can be made; that holds whatever a process
// does. Besides, and alone where there is no cgroup, the fork server is a subreaper and so is each
// worker: what a worker started stays below it while it lives, and becomes a child of the fork
// server when it dies. Such strays are killed. Without a cgroup, a process that keeps forking and
// exiting faster than they are looked for can escape.
//
// For a process that owns all of its children; single-threaded; make it once the program's own
// preparations are over, as children from before are left alone until the end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "platform/fork.hpp"
#include "platform/pidfd.hpp"
#include "process/cgroup.hpp"
#include "process/spawn.hpp"

namespace bulkhead::process {

enum class Mechanism { cgroup, subreaper };
using WorkerKey = std::uint64_t;  // the caller's; not used twice

class Trees {
 public:
  // `strongest` the system allows. BULKHEAD_CGROUP=off in the environment allows no cgroups.
  explicit Trees(Mechanism strongest = Mechanism::cgroup);
  // Kills everything; in a forked child it does nothing.
  ~Trees();
  Trees(const Trees&) = delete;
  Trees& operator=(const Trees&) = delete;

  Mechanism mechanism() const;
  // Of the cgroup above all workers, for remove_orphaned_roof(); empty if there is none.
  std::string roof_path() const;

  // Every worker's cgroup has at most so much of what this controller limits ("memory", "pids").
  // Empty from then on; else why that cannot be had. Before the first worker.
  std::optional<std::string> limit(const std::string& controller, std::uint64_t value);

  // Makes what the next worker needs, where it can: then that is there sooner.
  void prepare() noexcept;
  // Forks a worker. In the child this object is empty, holds no descriptor and does nothing more.
  platform::Forked fork(WorkerKey worker);
  // Executes one. It is to call set_subreaper() before it starts anything.
  Child spawn(WorkerKey worker, Program program);

  struct Ended {
    std::optional<WorkerKey> worker;  // empty: a stray, or a child from before
    pid_t pid = 0;
    platform::Ending ending;
  };
  // Reaps one child that has ended. To be called after SIGCHLD until it is empty; then every
  // worker that is to go is looked at again, as the last process of a tree is always a child here.
  std::optional<Ended> reap();

  std::vector<pid_t> members(WorkerKey worker) const;
  // To the worker and all that it started.
  void signal_tree(WorkerKey worker, int signal);
  // SIGKILL, without waiting: true when nothing is left, else to be called again after SIGCHLD.
  bool kill_tree(WorkerKey worker);
  // The worker was reaped, and nothing that it started lives. Without a cgroup, strays count as
  // every dead worker's.
  bool drained(WorkerKey worker) const;
  // Lets go of the worker and removes its cgroup, which takes a moment even when it is drained.
  // False when something of it is left, killed but not gone yet: that is seen to later.
  bool forget(WorkerKey worker, std::chrono::milliseconds timeout);

  // All workers, all strays, all other children; reaps them and removes the cgroups.
  bool kill_everything(std::chrono::milliseconds timeout);

 private:
  struct Tree {
    pid_t pid = 0;
    platform::Pidfd pidfd;
    std::optional<Cgroup> cgroup;
    bool reaped = false;  // from then on `pid` may be anybody's
  };

  std::optional<Cgroup> make_cgroup();
  std::optional<Cgroup> take_cgroup();
  void become_child();
  std::vector<pid_t> strays() const;

  pid_t owner_;
  std::set<pid_t> bystanders_;  // processes from before the first worker
  std::optional<Cgroup> roof_;
  std::optional<Cgroup> next_;                          // of the next worker
  std::map<std::string, std::uint64_t> cgroup_limits_;  // by file
  std::uint64_t cgroups_made_ = 0;
  std::map<WorkerKey, Tree> trees_;
};

}  // namespace bulkhead::process
