#include "platform/pidfd.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "platform/proc.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::platform;
using How = Ending::How;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;
using bulkhead::test::start_in_child;

namespace {

Pidfd start(const std::function<void()>& part) { return Pidfd::open(start_in_child(part)); }

constexpr auto for_ever = [] {
  for (;;) ::pause();
};

}  // namespace

TEST_CASE("a group is signalled though its leader has ended, and nobody when it has no members") {
  const LeakCheck leaks;
  for (const bool reaped : {false, true}) {
    const pid_t leader = start_in_child([&] {
      ::setsid();
      if (::fork() != 0) return;
      for (;;) ::pause();
    });
    const auto process = Pidfd::open(leader);
    REQUIRE(process.wait_ended(std::chrono::seconds(20)));
    if (reaped) REQUIRE(process.reap(true));
    process.signal_group(leader, SIGKILL);
    if (!reaped) REQUIRE(process.reap(true));
    process.signal_group(leader, SIGKILL);
  }
}

TEST_CASE("an exit with 9 and a death by signal 9 are told apart") {
  const LeakCheck leaks;
  const auto exited = start([] { exit_now(9); }).reap(true);
  CHECK(exited->how == How::exited);
  CHECK(exited->status == 9);

  const auto process = start(for_ever);
  CHECK_FALSE(process.ended());
  CHECK_FALSE(process.reap(false));
  CHECK(process.signal(SIGKILL));
  const auto killed = process.reap(true);
  CHECK(killed->how == How::killed);
  CHECK(killed->status == SIGKILL);
  CHECK(killed->usage.ru_maxrss > 0);
}

// Fault host.pid-reuse: a worker has been reaped, and its number may be another process's.
// Then: no signal for it goes there.
TEST_CASE("a process that was reaped gets no signal, nor does whoever has its number now") {
  const LeakCheck leaks;
  const auto process = start([] {});
  REQUIRE(process.reap(true));
  CHECK(process.ended());
  CHECK_FALSE(process.signal(SIGKILL));
}

TEST_CASE("a status that the host took is told from the kernel's memory, or unknown") {
  const LeakCheck leaks;
  const pid_t pid = start_in_child([] { exit_now(5); });
  const auto process = Pidfd::open(pid);
  CHECK_FALSE(process.exit_info());
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  const auto ending = process.reap(true);
  REQUIRE(ending);
  CHECK((ending->how == How::unknown || (ending->how == How::exited && ending->status == 5)));
  CHECK(process.exit_info().has_value() == (ending->how == How::exited));
}

TEST_CASE("the end of a process is seen though the host ignores SIGCHLD") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    const auto process = start(for_ever);
    process.signal(SIGABRT);
    const auto ending = process.reap(true);
    expect(ending.has_value());
    expect(ending->how == How::unknown || ending->status == SIGABRT);
  });
  CHECK(status == 0);
}

TEST_CASE("whoever is no parent sees that a process runs and that it ended") {
  const LeakCheck leaks;
  const auto process = start(for_ever);
  const int status = in_child([&] { expect(!process.reap(false)); });
  CHECK(status == 0);
  process.signal(SIGKILL);
  CHECK(process.wait_ended(std::chrono::seconds(20)));
  CHECK(in_child([&] { expect(process.reap(true)->how == How::unknown); }) == 0);
  CHECK(process.reap(true)->how == How::killed);
}

TEST_CASE("a process that owns its children reaps any of them") {
  const LeakCheck leaks;
  const int status = in_child([] {
    expect(!reap_any());
    const pid_t pid = start_in_child([] { exit_now(3); });
    Pidfd::open(pid).wait_ended(std::chrono::seconds(20));
    const auto reaped = reap_any();
    expect(reaped.has_value());
    expect(reaped->first == pid);
    expect(reaped->second.how == How::exited);
    expect(reaped->second.status == 3);
    expect(!reap_any());
  });
  CHECK(status == 0);
}
