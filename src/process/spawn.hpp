// Starting a program. Safe in any process: threads, ignored signals, closed standard descriptors
// and leaking descriptors of the host do not reach the child.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "platform/exec.hpp"
#include "platform/pidfd.hpp"

namespace bulkhead::process {

using platform::SpawnStage;

struct Program {
  std::string path;                                   // PATH is not searched
  std::vector<std::string> arguments = {};            // argv; empty: the path alone
  std::vector<std::string> environment = {};          // NAME=value, and nothing else
  std::optional<std::string> working_directory = {};  // empty: the caller's
  std::vector<std::pair<int, int>> descriptors = {};  // ours -> its number in the child
  bool new_session = false;
  // SIGKILL when the *thread* that called spawn() ends.
  bool dies_with_parent_thread = false;
  int cgroup_procs = -1;  // cgroup.procs of the cgroup v2 that it is to be in, open for writing
};

struct Child {
  pid_t pid = 0;
  platform::Pidfd pidfd;
};

// what() is a sentence like "cannot execute /no/such: No such file or directory"; code() the errno.
class SpawnError : public std::system_error {
 public:
  SpawnError(SpawnStage stage, int error, const std::string& what)
      : std::system_error(error, std::generic_category(), what), stage_(stage) {}
  SpawnStage stage() const noexcept { return stage_; }

 private:
  SpawnStage stage_;
};

// Returns once the program has replaced the child's image; whoever holds the Child reaps it. Of
// descriptors 0 to 2, those that are not listed are /dev/null. Throws SpawnError.
Child spawn(const Program& program);

// `base` without the names in `removed`, and with `added` in place of what had the same names.
std::vector<std::string> make_environment(
    const std::vector<std::string>& base,
    const std::vector<std::pair<std::string, std::string>>& added,
    const std::vector<std::string>& removed = {});

}  // namespace bulkhead::process
