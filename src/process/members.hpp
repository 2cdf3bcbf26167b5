// Signals to many processes at once, known by their ids only, without ever hitting a stranger that
// got one of these ids meanwhile.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string_view>
#include <vector>

namespace bulkhead::process {

using ListMembers = std::function<std::vector<pid_t>()>;

// The ids in a text like that of cgroup.procs. 0 stands there for a process that this pid
// namespace does not see, and is left out.
std::vector<pid_t> pids_in(std::string_view text);

void signal_members(const ListMembers& list, int signal);

// Kills until the list shows nobody new. One that is being killed cannot fork any more.
void kill_members(const ListMembers& list);

// The decision of what a process that owns all of its children has inherited: children that are
// neither its workers nor what was there before the first worker.
std::vector<pid_t> strays_among(const std::vector<pid_t>& children, const std::set<pid_t>& workers,
                                const std::set<pid_t>& bystanders);

}  // namespace bulkhead::process
