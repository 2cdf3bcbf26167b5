#include "platform/fork.hpp"

#include <pthread.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "process/cgroup.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::platform;
using bulkhead::process::Cgroup;
using bulkhead::process::own_cgroup;
using bulkhead::test::default_watchdog;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;

namespace {

// What a C library that does not know of its fork would get wrong.
void use_the_thread_library() {
  expect(::gettid() == ::getpid());
  expect(std::to_string(::getpid()) ==
         std::filesystem::read_symlink("/proc/self").filename().native());

  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  ::pthread_mutex_init(&mutex, &attributes);
  expect(::pthread_mutex_lock(&mutex) == 0);
  expect(mutex.__data.__owner == ::getpid());
  expect(::pthread_mutex_lock(&mutex) == EDEADLK);
  std::thread([&] { expect(::pthread_mutex_trylock(&mutex) == EBUSY); }).join();
  expect(::pthread_mutex_unlock(&mutex) == 0);

  static volatile sig_atomic_t raised = 0;
  ::signal(SIGUSR1, [](int) { raised = 1; });
  ::raise(SIGUSR1);
  expect(raised == 1);
  expect(::pthread_kill(::pthread_self(), 0) == 0);
}

void use_a_robust_mutex() {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  ::pthread_mutex_init(&mutex, &attributes);
  std::thread([&] { ::pthread_mutex_lock(&mutex); }).join();
  expect(::pthread_mutex_lock(&mutex) == EOWNERDEAD);
}

void be_a_whole_process() {
  use_the_thread_library();
  use_a_robust_mutex();
}

// In a child of its own; its exit code.
template <class Fork>
int run_forked(Fork fork, void (*part)()) {
  const Forked forked = fork();
  if (forked.in_child()) {
    int code = 0;
    try {
      part();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      code = 1;
    }
    exit_now(code);
  }
  const auto ending = forked.pidfd.reap(true);
  return ending->how == Ending::How::exited ? ending->status : -1;
}

// For a cgroup to try it with; empty where none can be made.
std::optional<Cgroup> make_cgroup() {
  const auto own = own_cgroup();
  if (!own) return std::nullopt;
  try {
    return Cgroup::make(*own + "/bulkhead-fork-test-" + std::to_string(::getpid()));
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("a forked child is a whole process") {
  const LeakCheck leaks;
  const int status = in_child([] {
    expect(run_forked(fork_process, be_a_whole_process) == 0);
    expect(run_forked(fork_process, [] { expect(in_child(be_a_whole_process) == 0); }) == 0);
  });
  CHECK(status == 0);
}

TEST_CASE("a child forked into a cgroup is a whole process, and in it from the start") {
  const LeakCheck leaks;
  const auto cgroup = make_cgroup();
  if (!cgroup) {
    WARN("no cgroup v2 can be made here");
    return;
  }
  const int status = in_child([&] {
    const auto fork = [&] { return fork_into_cgroup(cgroup->directory()); };
    expect(run_forked(fork, be_a_whole_process) == 0);
    expect(run_forked(fork, [] { expect(in_child(be_a_whole_process) == 0); }) == 0);
    const auto looks = [] {
      expect(own_cgroup().value_or("").find("/bulkhead-fork-test-") != std::string::npos);
    };
    expect(run_forked(fork, looks) == 0);
  });
  CHECK(status == 0);
  CHECK(cgroup->remove(default_watchdog));
}

TEST_CASE("a child that cannot enter its cgroup does not go on outside") {
  const LeakCheck leaks;
  const int status = in_child([] {
    const Fd no_cgroup_directory = open_directory("/proc");
    const auto fork = [&] { return fork_into_cgroup(no_cgroup_directory); };
    expect(run_forked(fork, [] {}) == no_cgroup);
  });
  CHECK(status == 0);
}

#ifdef BULKHEAD_FAULT_POINTS
TEST_CASE("a system without room for a process says so") {
  const LeakCheck leaks;
  const int status = in_child([] {
    use_faults("fork:1:errno=11");
    try {
      fork_process();
      expect(false);
    } catch (const std::system_error& error) {
      expect(error.code() == std::errc::resource_unavailable_try_again);
    }
    expect(run_forked(fork_process, [] {}) == 0);
  });
  CHECK(status == 0);
}
#endif
