#include "platform/crash_handler.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "platform/proc.hpp"
#include "platform/signal_stack.hpp"
#include "support/in_child.hpp"

using namespace bulkhead::platform;
using bulkhead::test::in_child;

namespace {

int signal_that_ends(OnCrash on_crash) {
  const int status = in_child([on_crash] {
    forbid_core_dumps();
    const SignalStack stack;
    handle_crashes(on_crash);
    ::raise(SIGFPE);
  });
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a process that handles its crash ends by its signal all the same") {
  CHECK(signal_that_ends([](const Crash&) noexcept {}) == SIGFPE);
}

TEST_CASE("a crash in the handler of crashes does not hide the first") {
  CHECK(signal_that_ends([](const Crash&) noexcept { ::raise(SIGSEGV); }) == SIGFPE);
}

TEST_CASE("a handler of crashes that hangs does not keep the process") {
  CHECK(signal_that_ends([](const Crash&) noexcept {
          for (;;) ::pause();
        }) == SIGFPE);
}

TEST_CASE("what handled a signal before still does") {
  const int status = in_child([] {
    std::signal(SIGFPE, [](int) { ::_exit(5); });
    handle_crashes([](const Crash&) noexcept { ::_exit(6); });
    ::raise(SIGFPE);
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
}

TEST_CASE("a thread that has a stack for signals keeps it") {
  const SignalStack outer;
  stack_t before{}, after{};
  ::sigaltstack(nullptr, &before);
  { const SignalStack inner; }
  ::sigaltstack(nullptr, &after);
  CHECK(before.ss_sp == after.ss_sp);
  CHECK(before.ss_flags == after.ss_flags);
}
