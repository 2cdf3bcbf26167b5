#include "worker/measures.hpp"

#include <csignal>

namespace bulkhead::worker {

namespace {

using Measure = Containment::Measure;

const std::optional<std::string>& no_cgroup_for(const LimitRow& row, const Means& means) {
  return row.resource == platform::Resource::memory ? means.no_cgroup_for_memory
                                                    : means.no_cgroup_for_processes;
}

Measure judge_limit(const LimitRow& row, const Means& means) {
  std::string why_not;
  if (row.controller) {
    const auto& no_cgroup = no_cgroup_for(row, means);
    if (!no_cgroup) return {true, std::string("cgroup ") + row.controller + ".max"};
    why_not = *no_cgroup + ", and ";
  }
  const std::string name = platform::limit_name(row.resource);
  if (!means.refused.contains(row.resource)) return {true, name};
  return {false, why_not + name +
                     (row.resource == platform::Resource::processes ? " does not bind this user"
                                                                    : " cannot be set")};
}

Measure judge_core(const Confinement& asked, const Means& means) {
  if (asked.limits.core && means.pipes_cores)
    return {false, "dumps are allowed, and the kernel hands them to a program whatever their size"};
  if (asked.limits.core || asked.contained)
    return {true, platform::limit_name(platform::Resource::core)};
  return {false, "not asked for"};
}

Containment without_limits(const Confinement& asked, const Means& means) {
  Containment found;
  for (const auto& [name, measure] : all_measures) found.*measure = {false, "not asked for"};
  if (asked.contained) found.no_new_privs = {true, "PR_SET_NO_NEW_PRIVS"};
  found.core = judge_core(asked, means);
  found.descriptors = {true, "closed before the worker runs"};
  found.session = {true, "setsid"};
  found.tree = {
      true, means.cgroup ? "cgroup"
                         : "subreaper: who forks fast, or whose fork server is killed, may escape"};
  return found;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

bool used_up(const platform::Ending& ending, const std::optional<std::uint64_t>& limit,
             double share) {
  const double used = seconds(ending.usage.ru_utime) + seconds(ending.usage.ru_stime);
  return limit && used >= static_cast<double>(*limit) * share;
}

}  // namespace

Judgement judge(const Confinement& asked, const Means& means) {
  Judgement judgement{without_limits(asked, means), asked, {}};
  for (const LimitRow& row : all_limits) {
    if (!(asked.limits.*row.limit) || row.resource == platform::Resource::core) continue;
    const Measure& found = judgement.containment.*row.measure = judge_limit(row, means);
    const bool by_cgroup = row.controller && !no_cgroup_for(row, means);
    if (by_cgroup || !found.in_force) (judgement.own.limits.*row.limit).reset();
    if (found.in_force) continue;
    judgement.missing += judgement.missing.empty() ? "" : "; ";
    judgement.missing += std::string("Sandbox::") + row.name + ": " + found.how;
  }
  return judgement;
}

Containment nothing_in_force() {
  Containment nothing;
  for (const auto& [name, measure] : all_measures)
    nothing.*measure = {false, "the workers are threads of this process"};
  return nothing;
}

std::string limit_that_ended(const platform::Ending& ending, const Sandbox::Limits& limits) {
  using How = platform::Ending::How;
  if (ending.how != How::killed && ending.how != How::dumped) return {};
  if (ending.status == SIGXFSZ && limits.file_size) return "file_size";
  if (ending.status == SIGXCPU && used_up(ending, limits.cpu, 0.5)) return "cpu";
  if (ending.status == SIGKILL && used_up(ending, limits.cpu, 1)) return "cpu";
  return {};
}

}  // namespace bulkhead::worker
