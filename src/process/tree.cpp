#include "process/tree.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "process/members.hpp"
#include "process/roof.hpp"

namespace bulkhead::process {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds until(Clock::time_point end) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end - Clock::now()));
}

bool cgroups_are_off() {
  const char* setting = std::getenv("BULKHEAD_CGROUP");
  return setting != nullptr && std::string_view(setting) == "off";
}

// Of very many only some, as each costs a descriptor for a moment: the rest is for the next round.
// An id of a child that was not reaped cannot be another process's; a program's other threads may
// reap what they started themselves.
std::vector<platform::Pidfd> kill_children(const std::vector<pid_t>& children) {
  constexpr std::size_t batch = 64;
  std::vector<platform::Pidfd> killed;
  for (const pid_t child : children) {
    if (killed.size() == batch) break;
    try {
      killed.push_back(platform::Pidfd::open(child));
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::no_such_process) throw;
    }
  }
  for (const auto& child : killed) child.signal(SIGKILL);
  return killed;
}

}  // namespace

Trees::Trees(Mechanism strongest) : owner_(platform::own_pid()) {
  platform::set_subreaper();
  if (platform::has_children())  // else there is no need to look through all processes
    for (const auto& process : platform::descendants_of({owner_})) bystanders_.insert(process.pid);
  if (strongest == Mechanism::cgroup && !cgroups_are_off()) roof_ = make_roof();
}

Trees::~Trees() {
  if (owner_ == platform::own_pid()) kill_everything(std::chrono::seconds(5));
}

Mechanism Trees::mechanism() const { return roof_ ? Mechanism::cgroup : Mechanism::subreaper; }

std::string Trees::roof_path() const { return roof_ ? roof_->path() : std::string(); }

std::optional<Cgroup> Trees::make_cgroup() {
  if (!roof_) return std::nullopt;
  auto cgroup = Cgroup::make(roof_->path() + "/" + std::to_string(++cgroups_made_));
  try {
    for (const auto& [file, value] : cgroup_limits_) cgroup.limit(file, value);
    return cgroup;
  } catch (const std::system_error&) {
    cgroup.remove(milliseconds(0));
    throw;
  }
}

std::optional<std::string> Trees::limit(const std::string& controller, std::uint64_t value) {
  if (!roof_) return "no cgroup can be made here";
  if (!roof_->has_controller(controller))
    return "cgroups here have no " + controller + " controller";
  const auto limit = cgroup_limits_.emplace(controller + ".max", value).first;
  try {
    roof_->pass_on(controller);
    auto limited = make_cgroup();
    if (next_) next_->remove(milliseconds(0));
    next_ = std::move(limited);
    return std::nullopt;
  } catch (const std::system_error& error) {
    cgroup_limits_.erase(limit);
    return error.what();
  }
}

std::optional<Cgroup> Trees::take_cgroup() {
  return next_ ? std::exchange(next_, std::nullopt) : make_cgroup();
}

void Trees::prepare() noexcept {
  try {
    if (!next_) next_ = make_cgroup();
  } catch (const std::exception&) {  // whoever needs it is told
  }
}

platform::Forked Trees::fork(WorkerKey worker) {
  auto cgroup = take_cgroup();
  try {
    auto forked =
        cgroup ? platform::fork_into_cgroup(cgroup->directory()) : platform::fork_process();
    if (forked.in_child()) {
      become_child();
      return forked;
    }
    platform::Pidfd kept(platform::duplicate(forked.pidfd.fd()));
    trees_[worker] = {forked.pid, std::move(kept), std::move(cgroup)};
    return forked;
  } catch (...) {
    if (cgroup) cgroup->remove(milliseconds(0));
    throw;
  }
}

Child Trees::spawn(WorkerKey worker, Program program) {
  auto cgroup = take_cgroup();
  try {
    const auto procs = cgroup ? cgroup->open_procs() : platform::Fd();
    program.cgroup_procs = procs.get();
    auto child = process::spawn(program);
    platform::Pidfd kept(platform::duplicate(child.pidfd.fd()));
    trees_[worker] = {child.pid, std::move(kept), std::move(cgroup)};
    return child;
  } catch (...) {
    if (cgroup) cgroup->remove(milliseconds(0));
    throw;
  }
}

void Trees::become_child() {
  owner_ = 0;
  trees_.clear();
  bystanders_.clear();
  next_.reset();
  roof_.reset();
  platform::set_subreaper();
}

std::optional<Trees::Ended> Trees::reap() {
  auto reaped = platform::reap_any();
  if (!reaped) return std::nullopt;
  Ended ended{std::nullopt, reaped->first, reaped->second};
  bystanders_.erase(ended.pid);
  for (auto& [worker, tree] : trees_) {
    if (tree.reaped || tree.pid != ended.pid) continue;
    tree.reaped = true;
    ended.worker = worker;
    const bool killed = ended.ending.how == platform::Ending::How::killed;
    if (killed && ended.ending.status == SIGKILL && tree.cgroup)
      ended.ending.oom_kills = tree.cgroup->oom_kills();  // soon nobody can ask it
  }
  return ended;
}

std::vector<pid_t> Trees::strays() const {
  std::set<pid_t> workers;
  for (const auto& [worker, tree] : trees_)
    if (!tree.reaped) workers.insert(tree.pid);
  if (!platform::has_children()) return {};
  return strays_among(platform::children_of(owner_), workers, bystanders_);
}

std::vector<pid_t> Trees::members(WorkerKey worker) const {
  const Tree& tree = trees_.at(worker);
  if (tree.cgroup) return tree.cgroup->members();
  const auto tops = tree.pidfd.ended() ? strays() : std::vector{tree.pid};
  std::vector<pid_t> family;
  for (const auto& process : platform::descendants_of(tops))
    if (process.state != 'Z') family.push_back(process.pid);
  // The tops last: once they die, what is below cannot be told to be theirs.
  family.insert(family.end(), tops.begin(), tops.end());
  return family;
}

void Trees::signal_tree(WorkerKey worker, int signal) {
  signal_members([&] { return members(worker); }, signal);
}

bool Trees::kill_tree(WorkerKey worker) {
  const Tree& tree = trees_.at(worker);
  // First the worker itself: it may not have entered its cgroup yet, and what it started becomes
  // ours when it dies.
  tree.pidfd.signal(SIGKILL);
  if (tree.cgroup) tree.cgroup->kill();
  if (tree.reaped) kill_children(strays());
  return drained(worker);
}

bool Trees::drained(WorkerKey worker) const {
  const Tree& tree = trees_.at(worker);
  if (!tree.reaped) return false;
  return tree.cgroup ? !tree.cgroup->populated() : strays().empty();
}

bool Trees::forget(WorkerKey worker, milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  bool gone = kill_tree(worker);
  const Tree& tree = trees_.at(worker);
  if (tree.cgroup) gone = tree.cgroup->remove(until(end));
  trees_.erase(worker);
  return gone;
}

bool Trees::kill_everything(milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  if (roof_) roof_->kill();
  // Level by level: the children of those that die become ours. Those that are left when nothing
  // changes any more are dead, and held by a debugger.
  std::vector<pid_t> left;
  for (auto children = platform::children_of(owner_); children != left;
       children = platform::children_of(owner_)) {
    left = children;
    for (const auto& child : kill_children(children))
      if (!child.wait_ended(until(end))) return false;
    while (reap()) continue;
  }
  next_.reset();
  const bool removed = !roof_ || roof_->remove(until(end));
  roof_.reset();
  trees_.clear();
  return removed;
}

}  // namespace bulkhead::process
