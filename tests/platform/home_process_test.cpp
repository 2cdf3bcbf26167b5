#include "platform/home_process.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <mutex>

#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::platform;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;

namespace {

struct Locked {
  explicit Locked(const Locked* inherited)
      : generation(inherited ? inherited->generation + 1 : 0) {}
  std::mutex mutex;
  int generation;
};
constinit PerProcess<Locked> locked;

void use_it(int generation) {
  const std::lock_guard lock(locked.get().mutex);
  expect(locked.get().generation == generation);
}

}  // namespace

TEST_CASE("a fork of a process is not at home where the process is, nor is the process there") {
  const LeakCheck leaks;
  const HomeProcess home;
  CHECK(home.here());
  CHECK(home.pid() == ::getpid());
  CHECK(in_child([&] {
          expect(!home.here());
          expect(home.pid() == ::getppid());
          const HomeProcess own;
          expect(own.here() && own.pid() == ::getpid());
          expect(!home.here());
          expect(in_child([&] { expect(!home.here() && !own.here() && HomeProcess().here()); }) ==
                 0);
          expect(own.here());
        }) == 0);
  CHECK(home.here());
  CHECK(HomeProcess().here());
}

TEST_CASE("a fork that the C library does not know of is not at home either") {
  const LeakCheck leaks;
  const HomeProcess home;
  const long child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) ::_exit(home.here() ? 1 : 0);
  int status = -1;
  REQUIRE(::waitpid(static_cast<pid_t>(child), &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("what a process made for itself is made anew in a fork, whoever held its locks") {
  const LeakCheck leaks;
  const std::lock_guard lock(locked.get().mutex);
  CHECK(in_child([] {
          use_it(1);
          expect(in_child([] { use_it(2); }) == 0);
          use_it(1);
        }) == 0);
  CHECK(locked.get().generation == 0);
}
