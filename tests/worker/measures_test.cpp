// What of a sandbox can be enforced, and which limit ended a worker.
#include "worker/measures.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <iterator>
#include <set>

namespace {

using namespace bulkhead;
using namespace bulkhead::worker;
using platform::Ending;
using platform::Resource;
using How = Ending::How;

const std::string none_here = "no cgroup can be made here";
const Means no_cgroups{.no_cgroup_for_memory = none_here, .no_cgroup_for_processes = none_here};
const Means cgroups{.cgroup = true};

Confinement asked(Sandbox::Limits limits) { return {.contained = true, .limits = limits}; }

Ending killed(int signal, std::int64_t ms, How how = How::killed) {
  Ending ending{.how = how, .status = signal};
  ending.usage.ru_utime.tv_sec = ms / 1000;
  ending.usage.ru_stime.tv_usec = ms % 1000 * 1000;
  return ending;
}

}  // namespace

TEST_CASE("What nobody asked for is not in force, and says so") {
  const Judgement judged = judge(asked({}), no_cgroups);
  CHECK(judged.missing.empty());
  CHECK(judged.containment.no_new_privs.in_force);
  CHECK(judged.containment.core.how == "RLIMIT_CORE");
  for (const LimitRow& row : all_limits) {
    if (row.resource == Resource::core) continue;
    CHECK_FALSE((judged.containment.*row.measure).in_force);
    CHECK((judged.containment.*row.measure).how == "not asked for");
    CHECK_FALSE(judged.own.limits.*row.limit);
  }
}

TEST_CASE("A cgroup that limits memory and processes does so instead of the worker") {
  const Judgement judged = judge(asked({.memory = 1, .cpu = 2, .processes = 3}), cgroups);
  CHECK(judged.missing.empty());
  CHECK(judged.containment.tree.how == "cgroup");
  CHECK(judged.containment.memory.how == "cgroup memory.max");
  CHECK(judged.containment.processes.how == "cgroup pids.max");
  CHECK(judged.containment.cpu.how == "RLIMIT_CPU");
  CHECK_FALSE(judged.own.limits.memory);
  CHECK_FALSE(judged.own.limits.processes);
  CHECK(judged.own.limits.cpu == 2U);
}

TEST_CASE("Without a cgroup the worker limits itself, where that binds it") {
  Means means = no_cgroups;
  const Judgement bound = judge(asked({.memory = 1, .processes = 3}), means);
  CHECK(bound.missing.empty());
  CHECK(bound.containment.memory.how == "RLIMIT_AS");
  CHECK(bound.containment.processes.how == "RLIMIT_NPROC");
  CHECK(bound.own.limits.memory == 1U);
  CHECK(bound.own.limits.processes == 3U);

  means.refused = {Resource::processes, Resource::memory};
  const Judgement free = judge(asked({.memory = 1, .processes = 3}), means);
  CHECK(free.missing == "Sandbox::processes: " + none_here +
                            ", and RLIMIT_NPROC does not bind this user; "
                            "Sandbox::memory: " +
                            none_here + ", and RLIMIT_AS cannot be set");
  CHECK_FALSE(free.containment.processes.in_force);
  CHECK_FALSE(free.own.limits.processes);
  CHECK_FALSE(free.own.limits.memory);
}

TEST_CASE("A core dump is off, limited, or left to the program that the kernel hands it to") {
  CHECK(judge({.contained = false}, cgroups).containment.core.how == "not asked for");
  CHECK(judge(asked({.core = 5}), cgroups).containment.core.in_force);
  CHECK(judge(asked({.core = 5}), cgroups).own.limits.core == 5U);
  Means piped = cgroups;
  piped.pipes_cores = true;
  CHECK_FALSE(judge(asked({.core = 5}), piped).containment.core.in_force);
  CHECK(judge(asked({.core = 5}), piped).missing.empty());
}

TEST_CASE("A signal is a limit's only if there is one that it can have come from") {
  CHECK(limit_that_ended(killed(SIGXFSZ, 0), {.file_size = 1}) == "file_size");
  CHECK(limit_that_ended(killed(SIGXFSZ, 0), {.cpu = 1}).empty());
  CHECK(limit_that_ended(killed(SIGXCPU, 2000), {.cpu = 2}) == "cpu");
  CHECK(limit_that_ended(killed(SIGXCPU, 1990, How::dumped), {.cpu = 2}) == "cpu");
  CHECK(limit_that_ended(killed(SIGXCPU, 10), {.cpu = 2}).empty());
  CHECK(limit_that_ended(killed(SIGXCPU, 9000), {}).empty());
  CHECK(limit_that_ended(killed(SIGKILL, 3000), {.cpu = 2}) == "cpu");  // it ignored the first
  CHECK(limit_that_ended(killed(SIGKILL, 1500), {.cpu = 2}).empty());
  CHECK(limit_that_ended(killed(SIGSEGV, 9000), {.cpu = 2, .file_size = 1}).empty());
  CHECK(limit_that_ended(killed(SIGXCPU, 9000, How::exited), {.cpu = 2}).empty());
}

TEST_CASE("Every measure is printed, in a line of its own") {
  Containment containment = nothing_in_force();
  containment.memory = {true, "RLIMIT_AS"};
  const std::string text = to_string(containment);
  CHECK(text.find("memory: RLIMIT_AS\n") != text.npos);
  CHECK(text.find("cpu: not in force: the workers are threads of this process\n") != text.npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == std::ssize(all_measures));
}
