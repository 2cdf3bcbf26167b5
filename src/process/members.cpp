#include "process/members.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <span>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "platform/pidfd.hpp"

namespace bulkhead::process {
namespace {

// Holds the processes first and looks once more then: if an id is still in the list, the held one
// is either that member, or a dead one, whom no signal reaches.
void signal_batch(std::span<const pid_t> pids, const ListMembers& list, int signal) {
  std::vector<std::pair<pid_t, platform::Pidfd>> held;
  for (const pid_t pid : pids) {
    try {
      held.emplace_back(pid, platform::Pidfd::open(pid));
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::no_such_process) throw;
    }
  }
  const auto still_there = list();
  for (const auto& [pid, pidfd] : held)
    if (std::ranges::count(still_there, pid) != 0) pidfd.signal(signal);
}

// In batches, as each process costs a descriptor for a moment.
void signal_listed(std::span<const pid_t> pids, const ListMembers& list, int signal) {
  constexpr std::size_t batch = 64;
  for (std::size_t first = 0; first < pids.size(); first += batch)
    signal_batch(pids.subspan(first, std::min(batch, pids.size() - first)), list, signal);
}

}  // namespace

std::vector<pid_t> pids_in(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<pid_t> pids(std::istream_iterator<pid_t>(words), {});
  std::erase(pids, 0);
  return pids;
}

void signal_members(const ListMembers& list, int signal) { signal_listed(list(), list, signal); }

void kill_members(const ListMembers& list) {
  std::set<pid_t> killed;
  constexpr int most_rounds = 1000;
  for (int round = 0; round < most_rounds; ++round) {
    auto fresh = list();
    std::erase_if(fresh, [&](pid_t pid) { return !killed.insert(pid).second; });
    if (fresh.empty()) return;
    signal_listed(fresh, list, SIGKILL);
  }
}

std::vector<pid_t> strays_among(const std::vector<pid_t>& children, const std::set<pid_t>& workers,
                                const std::set<pid_t>& bystanders) {
  std::vector<pid_t> strays;
  std::ranges::copy_if(children, std::back_inserter(strays), [&](pid_t child) {
    return !workers.contains(child) && !bystanders.contains(child);
  });
  return strays;
}

}  // namespace bulkhead::process
