#include "platform/fault.hpp"

#ifdef BULKHEAD_FAULT_POINTS

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "platform/fd.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/temp_dir.hpp"

using namespace bulkhead::platform;
using bulkhead::test::expect;
using bulkhead::test::in_child;
using bulkhead::test::LeakCheck;

namespace {

// The wait status of a process that comes to the point "p" three times.
int run_with(const char* setting) {
  return in_child([&] {
    ::setenv("BULKHEAD_FAULT", setting, 1);
    ::dup2(open_null().get(), 2);
    for (int i = 0; i < 3; ++i) fault_point("p");
  });
}

bool killed_by(int status, int number) { return WIFSIGNALED(status) && WTERMSIG(status) == number; }
bool exited_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

}  // namespace

TEST_CASE("a process ends at its fault point as told") {
  const LeakCheck leaks;
  CHECK(killed_by(run_with("p:1:kill"), SIGKILL));
  CHECK(killed_by(run_with("p:3:abort"), SIGABRT));
  CHECK(killed_by(run_with("p:*:signal=15"), SIGTERM));
  CHECK(exited_with(run_with("p:2:exit=7"), 7));
  CHECK(exited_with(run_with("p:4:kill"), 0));
  CHECK(exited_with(run_with("q:1:kill"), 0));
  CHECK(exited_with(run_with("q:1:kill;p:2:exit=8;p:1:errno=5"), 8));
  CHECK(exited_with(run_with(""), 0));
}

TEST_CASE("faults that a file says come and go with it") {
  const LeakCheck leaks;
  const bulkhead::test::TempDir folder;
  const std::string file = folder / "faults";
  const int status = in_child([&] {
    ::setenv("BULKHEAD_FAULT", ("@" + file).c_str(), 1);
    expect(fault_errno("p") == 0);
    std::ofstream(file) << "p:2:errno=28";
    expect(fault_errno("p") == 0);
    expect(fault_errno("p") == ENOSPC);
    std::ofstream(file) << "p:*:errno=12";
    expect(fault_errno("p") == ENOMEM);
    std::filesystem::remove(file);
    expect(fault_errno("p") == 0);
  });
  CHECK(status == 0);
}

TEST_CASE("a system call fails at its fault point at the time told") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::setenv("BULKHEAD_FAULT", "p:2:errno=28", 1);
    expect(fault_errno("p") == 0);
    expect(fault_errno("p") == ENOSPC);
    expect(fault_errno("p") == 0);
  });
  CHECK(status == 0);
}

TEST_CASE("a write is short at its fault point at the time told") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::setenv("BULKHEAD_FAULT", "p:2:short=3;q:1:exit=9", 1);
    expect(fault_length("p", 10) == 10);
    expect(fault_length("p", 10) == 3);
    expect(fault_length("p", 10) == 10);
    use_faults("p:*:short=3;p:*:errno=28");
    expect(fault_length("p", 2) == 2);
    expect(fault_errno("p") == ENOSPC);
    use_faults("q:1:exit=9");
    static_cast<void>(fault_length("q", 1));
  });
  CHECK(exited_with(status, 9));
}

TEST_CASE("a forked process goes on counting") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::setenv("BULKHEAD_FAULT", "p:2:exit=9", 1);
    fault_point("p");
    expect(exited_with(in_child([] { fault_point("p"); }), 9));
  });
  CHECK(status == 0);
}

TEST_CASE("a fault that makes no sense ends the process") {
  const LeakCheck leaks;
  for (const char* wrong : {"p", "p:1", "p::kill", ":1:kill", "p:0:kill", "p:x:kill", "p:1:explode",
                            "p:1:exit", "p:1:exit=x", "p:1:short", "p:1:kill=1", "q:1:kill;;"}) {
    INFO(wrong);
    CHECK(exited_with(run_with(wrong), 64));
  }
}

#endif
