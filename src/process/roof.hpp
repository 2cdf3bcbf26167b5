// The cgroup above the cgroups of all workers of one fork server: `bulkhead-PID-START-RANDOM` in
// the cgroup where the fork server itself is. It is locked (flock on the directory) as long as the
// fork server lives, so that what a killed one left behind can be told from what is in use, also by
// processes that do not see its process id.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "process/cgroup.hpp"

namespace bulkhead::process {

// Makes this process's roof, and shows by a child that processes can be started in it. Removes what
// killed fork servers left in the same place. Empty where this system lets us do nothing of it.
std::optional<Cgroup> make_roof();

// For the application, when its fork server was killed: ends all that is left under the roof at
// `path`, and removes it. False when something lives on, or the path is not a roof's.
bool remove_orphaned_roof(const std::string& path, std::chrono::milliseconds timeout);

// The fork server whose roof it is, as its name says.
struct RoofOwner {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  bool operator==(const RoofOwner&) const = default;
};
// False also for one that has ended and that nobody has reaped.
bool owner_lives(const RoofOwner& owner);
// As remove_orphaned_roof, where it was killed before it could say whether it has one.
bool remove_roofs_of(const RoofOwner& owner, std::chrono::milliseconds timeout);

// Removes the roofs in `directory` whose fork servers are gone.
void sweep_roofs(const std::string& directory);

// From the last part of a path; empty when it is not a roof's name.
std::optional<RoofOwner> parse_roof_name(std::string_view name);

}  // namespace bulkhead::process
