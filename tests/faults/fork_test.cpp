// An application that forks without exec: its workers stay its own, and the fork may have others.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::test;

// Fault host.forks (many calls): the app forks without exec.
// Then: in the fork, calls fail with `shut_down` and a sentence that names the owner, also those
// from before; nothing blocks, or disturbs the parent; the fork may have pools of its own.
TEST_CASE("a fork of an app is told whose the workers are, and starts its own") {
  for (const char* how : {"return", "destroys", "_exit", "no_wipe"}) {
    if (BULKHEAD_SANITIZED && how == std::string("no_wipe")) continue;  // they need that call
    const LeakCheck leaks;
    INFO(how);
    App app("forks", {how}, no_leak_sanitizer);
    check_ends_well(app);
  }
}

// Fault host.forks (many calls)
TEST_CASE("an app forks while its other threads are busy with workers") {
  if (BULKHEAD_SANITIZED) return;  // their own locks may be held then
  const LeakCheck leaks;
  App app("forks_in_turmoil", {}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault host.outlived (idle): the app ends while a fork of it lives on.
// Then: its workers end.
TEST_CASE("workers end with the app that started them, though a fork of it lives on") {
  const LeakCheck leaks;
  App app("outlived", {}, no_leak_sanitizer);
  REQUIRE(wait_until([&] { return std::filesystem::exists(app.file("ready")); }));
  const auto pids = pids_in(app.file("ready"));
  REQUIRE(pids.size() == 3);
  app.kill(SIGKILL);
  CHECK(app.ending().status == SIGKILL);
  const auto gone = [](pid_t pid) { return !bulkhead::platform::start_time(pid); };
  CHECK(wait_until([&] { return gone(pids[1]) && gone(pids[2]); }));
  CHECK_FALSE(gone(pids[0]));
  CHECK(::kill(pids[0], SIGKILL) == 0);
}

// Fault host.daemon (idle): the app becomes a daemon after it started a pool.
// Then: the pool ends with the process that made it; in the daemon, calls fail with `shut_down`,
// and new pools work.
TEST_CASE("an app that becomes a daemon starts its workers anew") {
  const LeakCheck leaks;
  App app("daemonises", {}, no_leak_sanitizer);
  check_ends_well(app);
  INFO(app.written());
  CHECK(wait_until([&] { return std::filesystem::exists(app.file("done")); }));
}
