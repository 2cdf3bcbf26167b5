#include "platform/proc.hpp"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>

#include "platform/fd.hpp"
#include "platform/pidfd.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::platform;
using namespace bulkhead::test;

TEST_CASE("a process's own name cannot forge what is read of it") {
  const auto stat = parse_process_stat(
      "42 (x) R 1 1 1) (y) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 123456 99 88");
  REQUIRE(stat);
  CHECK(stat->pid == 42);
  CHECK(stat->state == 'S');
  CHECK(stat->parent == 7);
  CHECK_FALSE(stat->exiting);
  CHECK(stat->start_time == 123456);
  CHECK_FALSE(parse_process_stat(""));
  CHECK_FALSE(parse_process_stat("42 (cut off) S 7"));
  CHECK_FALSE(parse_process_stat("nonsense"));
}

TEST_CASE("children and their children are found, zombies too") {
  const LeakCheck leaks;
  const int status = in_child([] {
    const Pipe grandchild_pid = make_pipe();
    const pid_t child = start_in_child([&] {
      const pid_t grandchild = start_in_child([] { ::pause(); });
      expect(::write(grandchild_pid.write.get(), &grandchild, sizeof(grandchild)) > 0);
      ::pause();
    });
    pid_t grandchild = 0;
    expect(::read(grandchild_pid.read.get(), &grandchild, sizeof(grandchild)) > 0);
    expect(children_of(own_pid()) == std::vector{child});
    const auto family = descendants_of({own_pid()});
    expect(family.size() == 2 && family[0].pid == child && family[1].pid == grandchild);
    expect(start_time(child) >= start_time(own_pid()));
    const auto held = Pidfd::open(grandchild);
    Pidfd::open(child).signal(SIGKILL);
    Pidfd::open(child).wait_ended(default_watchdog);
    expect(children_of(own_pid()) == std::vector{child}, "with a zombie");
    held.signal(SIGKILL);
    Pidfd::open(child).reap(true);
    expect(children_of(own_pid()).empty());
  });
  CHECK(status == 0);
  CHECK_FALSE(start_time(0x7fffffff));
}

TEST_CASE("an orphan becomes a child of the subreaper above it") {
  const LeakCheck leaks;
  const int status = in_child([] {
    set_subreaper();
    Pidfd::open(start_in_child([] { start_in_child([] { ::pause(); }); })).reap(true);
    const auto children = children_of(own_pid());
    expect(children.size() == 1);
    const auto orphan = Pidfd::open(children[0]);
    orphan.signal(SIGKILL);
    expect(orphan.reap(true)->how == Ending::How::killed);
  });
  CHECK(status == 0);
}

TEST_CASE("threads are counted") {
  std::atomic<bool> done = false;
  const auto wait = [&] { done.wait(false); };
  std::thread first(wait);
  const auto before = thread_count();
  CHECK(before >= 2);
  std::thread second(wait);
  CHECK(thread_count() == before + 1);
  done = true;
  done.notify_all();
  first.join();
  second.join();
  CHECK(thread_count() == before - 1);
}

// Each time it is luck whether the kernel is still at it.
TEST_CASE("a thread that was joined does not count") {
  std::thread([] {}).join();  // with the first, sanitizers start one of their own
  const auto before = thread_count();
  for (int round = 0; round < 3000; ++round) {
    std::thread([] {}).join();
    REQUIRE(thread_count() == before);
  }
}

TEST_CASE("a process is named, hardened, and put into a session of its own") {
  const LeakCheck leaks;
  const int status = in_child([] {
    set_process_name("bulkhead:thumbnailer");
    expect(read_file("/proc/self/comm") == "bulkhead:thumbn\n");
    set_no_new_privs();
    expect(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    new_session();
    expect(::getsid(0) == own_pid());
    set_parent_death_signal(SIGKILL);
    forbid_core_dumps();
    ::raise(SIGSEGV);
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
  CHECK_FALSE(WCOREDUMP(status));
}

TEST_CASE("the environment is read as it is") {
  ::setenv("BULKHEAD_TEST_VARIABLE", "a=b", 1);
  CHECK(std::ranges::count(environment(), "BULKHEAD_TEST_VARIABLE=a=b") == 1);
  ::unsetenv("BULKHEAD_TEST_VARIABLE");
}
