#include "worker/probe.hpp"

#include <system_error>

#include "platform/fork.hpp"
#include "platform/limits.hpp"
#include "platform/proc.hpp"
#include "platform/signals.hpp"

namespace bulkhead::worker {

namespace {

constexpr unsigned all_refused = (1U << all_limits.size()) - 1;

// One bit for each limit that this process, which is made for it, cannot have.
unsigned try_all(const Sandbox::Limits& limits) {
  unsigned refused = 0;
  for (std::size_t i = 0; i < all_limits.size(); ++i) {
    const auto value = limits.*all_limits[i].limit;
    if (value && !platform::limit_holds(all_limits[i].resource, *value)) refused |= 1U << i;
  }
  return refused;
}

unsigned try_all_in_child(const Sandbox::Limits& limits) {
  try {
    const auto child = platform::fork_process();
    if (child.in_child()) {
      platform::reset_signals();
      platform::exit_now(static_cast<int>(try_all(limits)));
    }
    const auto ending = child.pidfd.reap(true);
    if (ending && ending->how == platform::Ending::How::exited)
      return static_cast<unsigned>(ending->status);
  } catch (const std::system_error&) {
    // There is no process to be had, so that nothing can be shown.
  }
  return all_refused;
}

// Those that the cgroup does not see to.
std::set<platform::Resource> refused_to_process(const Sandbox::Limits& limits) {
  std::set<platform::Resource> refused;
  bool any = false;
  for (const LimitRow& row : all_limits) any = any || limits.*row.limit;
  if (!any) return refused;
  const unsigned bits = try_all_in_child(limits);
  for (std::size_t i = 0; i < all_limits.size(); ++i)
    if ((bits >> i & 1U) != 0 && limits.*all_limits[i].limit)
      refused.insert(all_limits[i].resource);
  return refused;
}

}  // namespace

Means probe(const Confinement& asked, process::Trees& trees) {
  Means means{.cgroup = trees.mechanism() == process::Mechanism::cgroup};
  Sandbox::Limits own = asked.limits;
  if (own.memory && !(means.no_cgroup_for_memory = trees.limit("memory", *own.memory)))
    own.memory.reset();
  if (own.processes && !(means.no_cgroup_for_processes = trees.limit("pids", *own.processes)))
    own.processes.reset();
  means.refused = refused_to_process(own);
  means.pipes_cores = asked.limits.core && platform::pipes_core_dumps();
  return means;
}

}  // namespace bulkhead::worker
