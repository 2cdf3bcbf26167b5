#include "process/roof.hpp"

#include <charconv>
#include <filesystem>
#include <random>
#include <system_error>

#include "platform/fd.hpp"
#include "platform/fork.hpp"
#include "platform/log.hpp"
#include "platform/proc.hpp"

namespace bulkhead::process {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view prefix = "bulkhead-";
constexpr std::chrono::seconds sweep_timeout(1);

std::string own_roof_name() {
  const pid_t pid = platform::own_pid();
  std::random_device random;
  return std::string(prefix) + std::to_string(pid) + "-" +
         std::to_string(platform::start_time(pid).value_or(0)) + "-" + std::to_string(random()) +
         std::to_string(random());
}

void prove_usable(const Cgroup& roof) {
  const auto probe = Cgroup::make(roof.path() + "/probe");
  const auto forked = platform::fork_into_cgroup(probe.directory());
  if (forked.in_child()) platform::exit_now(0);
  const auto ending = forked.pidfd.reap(true);
  probe.remove(sweep_timeout);
  if (!ending || ending->how != platform::Ending::How::exited || ending->status != 0)
    throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                            "no process can be started in the cgroup " + roof.path());
}

// Whether it is this user's to kill what is in it.
bool may_clear(const std::string& roof) {
  return bool(platform::try_open(roof + "/cgroup.procs", platform::Access::write));
}

void sweep(const std::string& path) {
  const auto roof = may_clear(path) ? Cgroup::open(path) : std::nullopt;
  if (roof && platform::try_lock(roof->directory()) && !roof->remove(sweep_timeout))
    platform::logger()->warn("cannot end all processes that were left in {}", path);
}

}  // namespace

std::optional<Cgroup> make_roof() {
  const auto directory = own_cgroup();
  if (!directory) return std::nullopt;
  sweep_roofs(*directory);
  std::optional<Cgroup> roof;
  try {
    roof = Cgroup::make(*directory + "/" + own_roof_name());
    if (platform::try_lock(roof->directory())) {
      prove_usable(*roof);
      return roof;
    }
  } catch (const std::system_error& error) {
    platform::logger()->debug("workers are held without a cgroup: {}", error.what());
  }
  if (roof) roof->remove(sweep_timeout);
  return std::nullopt;
}

bool remove_orphaned_roof(const std::string& path, std::chrono::milliseconds timeout) {
  if (!parse_roof_name(fs::path(path).filename().native())) return false;
  const auto roof = Cgroup::open(path);
  return !roof || roof->remove(timeout);
}

bool owner_lives(const RoofOwner& owner) {
  const std::string stat = "/proc/" + std::to_string(owner.pid) + "/stat";
  const auto process = platform::parse_process_stat(platform::read_file(stat));
  return process && process->start_time == owner.start_time && process->state != 'Z';
}

bool remove_roofs_of(const RoofOwner& owner, std::chrono::milliseconds timeout) {
  bool gone = true;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(own_cgroup().value_or("/nowhere"), ignored))
    if (parse_roof_name(entry.path().filename().native()) == owner)
      gone = remove_orphaned_roof(entry.path().native(), timeout) && gone;
  return gone;
}

void sweep_roofs(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const auto owner = parse_roof_name(entry.path().filename().native());
    if (owner && !owner_lives(*owner)) sweep(entry.path().native());
  }
}

std::optional<RoofOwner> parse_roof_name(std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  RoofOwner owner;
  const char* const end = name.data() + name.size();
  const auto pid = std::from_chars(name.data() + prefix.size(), end, owner.pid);
  if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != '-') return std::nullopt;
  const auto start = std::from_chars(pid.ptr + 1, end, owner.start_time);
  if (start.ec != std::errc() || start.ptr == end || *start.ptr != '-') return std::nullopt;
  return owner;
}

}  // namespace bulkhead::process
