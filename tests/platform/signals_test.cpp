#include "platform/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::platform;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;
using bulkhead::test::wait_until;

namespace {

bool is_blocked(int number) {
  sigset_t set;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &set);
  return sigismember(&set, number) == 1;
}

}  // namespace

TEST_CASE("a process starts afresh whatever its host ignored and blocked") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGRTMAX, [](int) {});
    const BlockedSignals blocked(BlockedSignals::Which::all);
    reset_signals();
    for (const int number : {SIGCHLD, SIGPIPE, SIGRTMAX}) {
      struct sigaction action {};
      ::sigaction(number, nullptr, &action);
      expect(action.sa_handler == SIG_DFL, std::to_string(number));
      expect(!is_blocked(number));
    }
  });
  CHECK(status == 0);
}

TEST_CASE("signals are blocked for a while and as before afterwards") {
  using Which = BlockedSignals::Which;
  const auto which = GENERATE(Which::all, Which::all_but_crashes);
  CHECK_FALSE(is_blocked(SIGUSR1));
  {
    const BlockedSignals blocked(which);
    CHECK(is_blocked(SIGUSR1));
    for (const int number : crash_signals) CHECK(is_blocked(number) == (which == Which::all));
  }
  CHECK_FALSE(is_blocked(SIGUSR1));
}

TEST_CASE("the end of a child makes a descriptor readable, whatever thread hears of it") {
  const LeakCheck leaks;
  const int status = in_child([] {
    // The signal goes to the only thread that does not block it.
    std::atomic<bool> over = false;
    std::thread other([&] { expect(wait_until([&] { return over.load(); })); });
    const BlockedSignals blocked(BlockedSignals::Which::all);
    const Fd ends = child_events();
    std::array<std::byte, 256> buffer{};
    expect(read_some(ends, buffer).io == Io::would_block);
    in_child([] {});
    expect(wait_ready(ends, Readiness::readable, std::chrono::seconds(20)));
    expect(read_some(ends, buffer).io == Io::done);
    expect(read_some(ends, buffer).io == Io::would_block);
    over = true;
    other.join();
  });
  CHECK(status == 0);
}
