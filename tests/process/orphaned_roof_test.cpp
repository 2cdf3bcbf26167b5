// What killed fork servers leave in cgroups, and who removes it.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "platform/fork.hpp"
#include "platform/pidfd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "process/census.hpp"
#include "process/roof.hpp"
#include "process/tree.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::process;
using namespace bulkhead::test;
namespace platform = bulkhead::platform;

namespace {

constexpr auto watchdog = default_watchdog;

bool cgroups_work() { return Trees().mechanism() == Mechanism::cgroup; }

// A fork server that is killed at once, with a worker that outlives it; the path of its roof.
std::string killed_fork_server(Census& census) {
  platform::Pipe told = platform::make_pipe();
  const pid_t server = start_in_child([&] {
    Trees trees;
    fork_worker(trees, 1, [&] { escape(census); });
    census.await(escapees + 1);
    const auto path = trees.roof_path();
    expect(::write(told.write.get(), path.c_str(), path.size() + 1) > 0);
    ::kill(::getpid(), SIGKILL);
  });
  char path[4096] = "";
  expect(::read(told.read.get(), path, sizeof(path)) > 0);
  ::waitpid(server, nullptr, 0);
  return path;
}

void enter(const Cgroup& cgroup) {
  const platform::Fd procs = cgroup.open_procs();
  expect(::write(procs.get(), "0", 1) == 1, "enter a cgroup");
}

// Where cgroups work: in one of its own, where no other test program looks for what was left.
template <class Part>
int apart(Part part) {
  return in_child([&] {
    if (!cgroups_work()) return;
    const auto above = Cgroup::open(*own_cgroup());
    const auto own = Cgroup::make(above->path() + "/roof-test-" + std::to_string(::getpid()));
    enter(own);
    part();
    enter(*above);
    expect(own.remove(watchdog), "leave a cgroup");
  });
}

}  // namespace

// Fault crash.fork-server-killed
TEST_CASE("the application ends what a killed fork server left") {
  const LeakCheck leaks;
  const int status = apart([] {
    platform::set_subreaper();
    Census census;
    const auto roof = killed_fork_server(census);
    expect(std::filesystem::exists(roof));
    expect(remove_orphaned_roof(roof, watchdog));
    expect(!std::filesystem::exists(roof));
    census.expect_all_gone();
    expect(remove_orphaned_roof(roof, watchdog), "a second time");
    expect(!remove_orphaned_roof("/tmp", watchdog), "no roof at all");
    while (platform::reap_any()) continue;
  });
  CHECK(status == 0);
}

// Fault crash.fork-server-killed
TEST_CASE("the next fork server ends what a killed one left, and touches no living one's") {
  const LeakCheck leaks;
  const int status = apart([] {
    platform::set_subreaper();
    Census census;
    const auto roof = killed_fork_server(census);
    Trees living;
    fork_worker(living, 1, [&] {
      census = {};
      live_for_ever();
    });
    expect(!std::filesystem::exists(roof), "swept");
    census.expect_all_gone();
    expect(in_child([] { const Trees another; }) == 0);
    expect(living.members(1).size() == 1);
  });
  CHECK(status == 0);
}

TEST_CASE("a user who may not touch another's roof leaves what is in it alone") {
  const LeakCheck leaks;
  const int status = apart([] {
    // A sanitizer cannot report as another user.
    if (::getuid() != 0 || BULKHEAD_SANITIZED) return;
    const std::string own = *own_cgroup();
    const auto foreign = Cgroup::make(own + "/bulkhead-2147483647-1-" + std::to_string(::getpid()));
    const auto member = platform::fork_into_cgroup(foreign.directory());
    if (member.in_child()) live_for_ever();
    const int other_user = in_child([&] {
      expect(::setresuid(65534, 65534, 65534) == 0);
      const Trees trees;
      expect(platform::try_lock(platform::open_directory(foreign.path())), "not even locked");
    });
    expect(other_user == 0);
    expect(!member.pidfd.ended());
    expect(foreign.remove(watchdog));
    while (platform::reap_any()) continue;
  });
  CHECK(status == 0);
}

TEST_CASE("a roof in use is not swept though its owner's number means nothing here") {
  const LeakCheck leaks;
  const int status = apart([] {
    const std::string own = *own_cgroup();
    std::optional<Cgroup> foreign =
        Cgroup::make(own + "/bulkhead-2147483647-1-" + std::to_string(::getpid()));
    const std::string path = foreign->path();
    expect(platform::try_lock(foreign->directory()));
    sweep_roofs(own);
    expect(std::filesystem::exists(path));
    foreign.reset();
    sweep_roofs(own);
    expect(!std::filesystem::exists(path));
  });
  CHECK(status == 0);
}
