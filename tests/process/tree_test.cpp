#include "process/tree.hpp"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>

#include "platform/proc.hpp"
#include "platform/signals.hpp"
#include "platform/unsanitized.hpp"
#include "process/census.hpp"
#include "process/members.hpp"
#include "process/roof.hpp"
#include "support/deny_system_call.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::process;
using namespace bulkhead::test;
namespace platform = bulkhead::platform;
using How = platform::Ending::How;

namespace {

constexpr auto watchdog = default_watchdog;

// What a fork server does with the ends of its children until the worker's tree is gone.
Trees::Ended end_tree(Trees& trees, WorkerKey worker) {
  std::optional<Trees::Ended> found;
  const auto gone = [&] {
    while (const auto ended = trees.reap())
      if (ended->worker == worker) found = ended;
    return trees.kill_tree(worker);
  };
  expect(wait_until(gone), "tree killed");
  expect(trees.forget(worker, watchdog), "tree forgotten");
  expect(found.has_value());
  return *found;
}

// A process leaves its cgroup before it becomes a zombie, and an orphan of this process's.
void expect_no_zombie(Trees& trees) {
  const auto none_is_left = [&] {
    while (trees.reap()) continue;
    return platform::children_of(::getpid()).empty();
  };
  expect(wait_until(none_is_left), "no zombie");
}

// Runs the part as a fork server of its own, with each mechanism that this system has.
template <class Part>
void with_each_mechanism(Part part) {
  for (const Mechanism mechanism : {Mechanism::cgroup, Mechanism::subreaper}) {
    INFO("mechanism " << (mechanism == Mechanism::cgroup ? "cgroup" : "subreaper"));
    CHECK(in_child([&] { part(mechanism); }) == 0);
  }
}

}  // namespace

TEST_CASE("a worker's end is told with its status, and its key") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Trees trees(mechanism);
    const auto worker = fork_worker(trees, 7, [] { platform::exit_now(3); });
    std::optional<Trees::Ended> ended;
    expect(wait_until([&] { return (ended = trees.reap()).has_value(); }));
    expect(ended->worker == WorkerKey{7});
    expect(ended->pid == worker.pid);
    expect(ended->ending.how == How::exited && ended->ending.status == 3);
    expect(trees.drained(7));
    expect(trees.forget(7, watchdog));
    expect(platform::children_of(::getpid()).empty());
  });
}

TEST_CASE("a forked worker holds nothing of the fork server's and leaves it alone") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    const auto descriptors = [] {
      return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    const auto before = descriptors();
    auto trees = std::make_unique<Trees>(mechanism);
    const auto sleeper = fork_worker(*trees, 1, live_for_ever);
    const auto worker = fork_worker(*trees, 2, [&] {
      int subreaper = 0;
      ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
      // All but the pidfd of the first worker, which the test itself holds.
      const bool clean = descriptors() == before + 1 && subreaper == 1;
      trees.reset();
      platform::exit_now(clean ? 0 : 1);
    });
    expect(worker.pidfd.wait_ended(watchdog));
    expect(end_tree(*trees, 2).ending.status == 0);
    expect(!sleeper.pidfd.ended());
    trees.reset();
    expect(sleeper.pidfd.ended());
    expect(platform::children_of(::getpid()).empty());
  });
}

// Fault end.helpers
TEST_CASE("nothing escapes that a worker started, by session or by double fork") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Census census;
    Trees trees(mechanism);
    const auto worker = fork_worker(trees, 1, [&] { escape(census); });
    census.await(escapees + 1);
    // Without the parents of orphans, which may take a moment to end.
    expect(wait_until([&] { return trees.members(1).size() == escapees + 1; }), "members");
    trees.signal_tree(1, SIGTERM);
    expect(!worker.pidfd.ended());
    expect(end_tree(trees, 1).ending.status == SIGKILL);
    expect_no_zombie(trees);
    census.expect_all_gone();
  });
}

// Fault end.helpers
TEST_CASE("what a worker leaves behind when it dies by itself is ended too, and no one else's") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Census leavers, stayers;
    Trees trees(mechanism);
    const auto stayer = fork_worker(trees, 1, [&] {
      leavers = {};
      start_in_child([&] {
        stayers.report();
        live_for_ever();
      });
      live_for_ever();
    });
    stayers.await(1);
    const auto worker = fork_worker(trees, 2, [&] {
      for (int i = 0; i < 10; ++i)
        if (::fork() == 0) {
          ::setsid();
          if (i % 2 == 0 && ::fork() != 0) ::_exit(0);
          leavers.report();
          live_for_ever();
        }
      platform::exit_now(0);
    });
    leavers.await(10);
    expect(worker.pidfd.wait_ended(watchdog));
    expect(end_tree(trees, 2).ending.how == How::exited);
    leavers.expect_all_gone();
    expect(!stayer.pidfd.ended());
    expect(trees.members(1).size() == 2);
    expect(trees.kill_everything(watchdog));
    stayers.expect_all_gone();
  });
}

TEST_CASE("the end of everything also ends helpers from before, which nothing ended earlier") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Census census;
    const auto helper = platform::Pidfd::open(start_in_child(live_for_ever));
    Trees trees(mechanism);
    for (WorkerKey worker = 1; worker <= 3; ++worker)
      fork_worker(trees, worker, [&] { escape(census); });
    census.await(3 * (escapees + 1));
    end_tree(trees, 1);
    expect(!helper.ended());
    expect(trees.kill_everything(watchdog));
    expect(helper.ended());
    expect(platform::children_of(::getpid()).empty());
    census.expect_all_gone();
  });
}

TEST_CASE("a whole tree hears SIGTERM and may leave by itself") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Census census;
    Trees trees(mechanism);
    fork_worker(trees, 1, [&] {
      for (int i = 0; i < 100; ++i)
        if (::fork() == 0) {
          ::setsid();
          census.report();
          live_for_ever();
        }
      census.report();
      live_for_ever();
    });
    census.await(101);
    expect(!trees.drained(1));
    trees.signal_tree(1, SIGTERM);
    std::optional<platform::Ending> ending;
    const auto drained = [&] {
      while (const auto ended = trees.reap())
        if (ended->worker) ending = ended->ending;
      return trees.drained(1);
    };
    expect(wait_until(drained));
    expect(ending->status == SIGTERM);
    expect(trees.forget(1, watchdog));
    census.expect_all_gone();
  });
}

TEST_CASE("an executed worker is held like a forked one") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Trees trees(mechanism);
    const auto child =
        trees.spawn(1, {.path = "/bin/sh",
                        .arguments = {"sh", "-c", "setsid sleep 1000 & setsid sleep 1000 & wait"},
                        .environment = {"PATH=/bin:/usr/bin"}});
    expect(wait_until([&] { return trees.members(1).size() == 3; }));
    expect(end_tree(trees, 1).pid == child.pid);
    expect_no_zombie(trees);
    try {
      trees.spawn(2, {.path = "/no/such"});
      expect(false);
    } catch (const SpawnError& error) {
      expect(error.stage() == SpawnStage::exec);
    }
  });
}

// Fault host.no-cgroup: the system has no cgroups that can be used, forbids `clone3`, or has no
// `cgroup.kill`.
// Then: workers are held by other means, and end with all that they started.
TEST_CASE("a container that forbids clone3 still has its workers in cgroups") {
  const LeakCheck leaks;
  const int status = in_child([] {
    const auto mechanism = Trees().mechanism();
    deny_system_call(SYS_clone3);
    Census census;
    Trees trees;
    expect(trees.mechanism() == mechanism);
    fork_worker(trees, 1, [&] { escape(census); });
    census.await(escapees + 1);
    end_tree(trees, 1);
    census.expect_all_gone();
  });
  CHECK(status == 0);
}

// Fault host.no-cgroup
TEST_CASE("a kernel without cgroup.kill has its processes killed one by one") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Census census;
    Trees trees(mechanism);
    fork_worker(trees, 1, [&] { escape(census); });
    census.await(escapees + 1);
    kill_members([&] { return trees.members(1); });
    const auto drained = [&] {
      while (trees.reap()) continue;
      return trees.drained(1);
    };
    expect(wait_until(drained));
    census.expect_all_gone();
  });
}

// Fault host.no-cgroup
TEST_CASE("a fork server that was told to use no cgroup uses none") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::setenv("BULKHEAD_CGROUP", "off", 1);
    const Trees trees;
    expect(trees.mechanism() == Mechanism::subreaper);
    expect(trees.roof_path().empty());
  });
  CHECK(status == 0);
}

TEST_CASE(
    "a limit that no cgroup has here is refused, with the reason, and workers start as ever") {
  const LeakCheck leaks;
  with_each_mechanism([](Mechanism mechanism) {
    Trees trees(mechanism);
    trees.prepare();
    const auto why = trees.limit("nonsense", 1);
    expect(why == (trees.mechanism() == Mechanism::cgroup
                       ? "cgroups here have no nonsense controller"
                       : "no cgroup can be made here"));
    const auto worker = fork_worker(trees, 1, [] { platform::exit_now(3); });
    expect(worker.pidfd.wait_ended(watchdog));
    expect(end_tree(trees, 1).ending.status == 3);
  });
}
