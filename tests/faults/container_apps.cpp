// An application in a container as the usual tools make it: little shared memory, and no cgroups.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <vector>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/proc.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t many = 32;

// A user who may not mount becomes one who may, within a namespace of its own.
bool become_able_to_mount() {
  const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
  const bool may = ::geteuid() == 0;
  if (::unshare(CLONE_NEWNS | (may ? 0 : CLONE_NEWUSER)) != 0) return false;
  if (!may) {
    std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << group << ' ' << group << " 1";
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool enter_container() {
  constexpr unsigned long usual = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  return become_able_to_mount() &&
         ::mount("shm", "/dev/shm", "tmpfs", usual, "size=64m,mode=1777") == 0 &&
         ::mount("none", "/sys/fs/cgroup", "tmpfs", usual | MS_RDONLY, "size=0") == 0;
}

// Whatever is large goes both ways, in all workers at once.
void call_with_large_values(TestPool& pool) {
  const std::string large(4 << 20, 'x');
  std::vector<Future<std::string>> calls;
  for (int i = 0; i < 64; ++i) calls.push_back(pool.run(Echo{large}));
  for (auto& call : calls) expect(value_of(std::move(call)) == large);
}

// What workers have started, whatever it has done to escape, ends with them.
void crash_with_helpers(TestPool& pool) {
  std::vector<pid_t> helpers;
  for (const Helper helper : {Helper::own_session, Helper::grandchild})
    for (auto& started : pool.broadcast(Start{helper}))
      helpers.push_back(value_of(std::move(started)));
  expect(helpers.size() == 2 * many);
  for (auto& call : pool.broadcast(Die{Death::segmentation_fault})) {
    const Error crash = error_of(std::move(call));
    expect(crash.crash() && crash.crash()->status.signal == SIGSEGV, crash.what());
  }
  for (const pid_t helper : helpers)
    expect(wait_until([&] { return !platform::start_time(helper); }), "a helper lives on");
  expect(wait_until([&] { return pool.stats().workers == many; }));
}

// Takes all of the shared memory that is left.
void exhaust_memory() {
  std::vector<TestWorker> workers;
  for (;;) try {
      workers.push_back(TestWorker::start());
      expect(workers.size() < 200, "there is no end to it");
    } catch (const Error& error) {
      expect(error.code() == errc::start_failed && error.system().value() == ENOSPC, error.what());
      expect(mentions(error, "/dev/shm is full"), error.what());
      break;
    }
  expect(workers.size() > 60, std::to_string(workers.size()) + " workers besides");
  for (auto& worker : workers) expect(value_of(worker.run(Add{1, 2})) == 3);
}

// folder.
int container(const AppArguments&) {
  if (!enter_container()) return not_permitted;
  {
    TestPool pool{{.workers = many, .restart = {.count = 0}}};
    expect(pool.stats().workers == many);
    const Containment containment = pool.containment();
    expect(containment.tree.in_force && containment.tree.how.starts_with("subreaper"),
           to_string(containment));
    call_with_large_values(pool);
    crash_with_helpers(pool);
    exhaust_memory();
    call_with_large_values(pool);
    expect(pool.shutdown().workers_left == many);
  }
  expect(fs::is_empty("/dev/shm"), "a name is left");
  return 0;
}

}  // namespace

const Apps container_apps{{"container", container}};

}  // namespace bulkhead::test
