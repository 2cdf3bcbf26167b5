// What a worker is given, what it is not, and what its app notices of it.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <sstream>
#include <thread>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/blocked.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

View view_of(const Launch& launch = Launch::self()) {
  auto worker = TestWorker::start({.launch = launch});
  return value_of(worker.run(LookAround{}));
}

bool has(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

volatile std::sig_atomic_t broken_pipes = 0, crashes_seen = 0;

}  // namespace

// Fault host.surroundings: the app has descriptors, an environment, a terminal and a session.
// Then: its workers get its environment, and nothing else.
TEST_CASE("a worker is given what its launch says") {
  const LeakCheck leaks;
  const TempDir folder;
  const View view = view_of(Launch::self()
                                .arg("first")
                                .args({"second", "a third"})
                                .env("ANSWER", "forty-two")
                                .env("HOME", "/elsewhere")
                                .working_directory(folder.path()));
  REQUIRE(view.arguments.size() == 4);
  CHECK(std::filesystem::path(view.arguments[0]).filename() == "faults_tests");
  CHECK(std::vector(view.arguments.begin() + 1, view.arguments.end()) ==
        std::vector<std::string>{"first", "second", "a third"});
  CHECK(has(view.environment, "ANSWER=forty-two"));
  CHECK(has(view.environment, "HOME=/elsewhere"));
  CHECK(std::count_if(view.environment.begin(), view.environment.end(),
                      [](const auto& entry) { return entry.starts_with("HOME="); }) == 1);
  CHECK(view.directory == std::filesystem::canonical(folder.path()));
}

// Fault host.surroundings
TEST_CASE("a worker sees the app's environment, and nothing of how it was launched") {
  const LeakCheck leaks;
  ::setenv("OF_THE_APP", "yes", 1);
  ::setenv("BULKHEAD_CONNECT_TIMEOUT", "9", 1);
  const View view = view_of();
  ::unsetenv("OF_THE_APP");
  ::unsetenv("BULKHEAD_CONNECT_TIMEOUT");
  CHECK(has(view.environment, "OF_THE_APP=yes"));
  for (const std::string& entry : view.environment) {
    INFO(entry);
    CHECK_FALSE(entry.starts_with("BULKHEAD_PROTOCOL="));
    CHECK_FALSE(entry.starts_with("BULKHEAD_SERVICE="));
    CHECK_FALSE(entry.starts_with("BULKHEAD_CONTROL="));
    CHECK_FALSE(entry.starts_with("BULKHEAD_CONNECT_TIMEOUT="));
    CHECK_FALSE(entry.starts_with("BULKHEAD_HUGE_PAGES="));
    CHECK_FALSE(entry.starts_with("GLIBC_TUNABLES="));
  }
}

// Fault host.surroundings
TEST_CASE("a fork server asks for huge pages beside the user's own tunables, its workers do not") {
  const LeakCheck leaks;
  const std::string own = "GLIBC_TUNABLES=glibc.malloc.tcache_count=5";
  TestPool pool{{.workers = 1,
                 .launch = Launch::self().env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=5")}};
  const View view = value_of(pool.run(LookAround{}));
  CHECK(has(view.environment, own));
  const std::string given =
      platform::read_file("/proc/" + std::to_string(view.parent) + "/environ");
  CHECK(given.find(own) != given.npos);
  CHECK(given.find("glibc.malloc.hugetlb=1") != given.npos);
}

// Fault host.surroundings
TEST_CASE("a worker has an empty input, a session of its own and none of the app's descriptors") {
  const LeakCheck leaks;
  const TempDir folder;
  // One that the app forgot to close on exec.
  const int leaked = ::dup(platform::open_file(folder.path(), 0).get());
  TestPool other{{.workers = 1}};
  const View view = view_of();
  ::close(leaked);
  CHECK(view.input_is_empty);
  CHECK(view.session == view.pid);
  int sockets = 0;
  for (const std::string& descriptor : view.descriptors) {
    INFO(descriptor);
    const bool standard = descriptor[0] <= '2' && descriptor[1] == ' ';
    const bool socket = descriptor.find(" socket:") != descriptor.npos;
    CHECK((standard || socket));
    sockets += socket;
  }
  CHECK(sockets == 4);  // its doorbell, the one for bytes, and one in reserve
}

TEST_CASE("the workers of a pool come from one image that was prepared once") {
  const LeakCheck leaks;
  const TempDir folder;
  TestPool pool{
      {.workers = 3,
       .launch = Launch::self().env("TEST_PRELOAD", "touch=" + (folder / "once").string())}};
  const View view = value_of(pool.run(LookAround{}));
  CHECK(pids_in(folder / "once") == std::vector<pid_t>{view.parent});
}

// Fault value.output: workers write to their output and error at the same time.
// Then: what they write comes out in whole lines.
TEST_CASE("what workers write goes to the app's own output in whole lines") {
  const LeakCheck leaks;
  App app("talkative");
  CHECK(app.ending().status == 0);
  std::istringstream lines(app.written());
  std::map<std::string, int> seen;
  for (std::string line; std::getline(lines, line);) ++seen[line];
  CHECK(seen.size() == 2);
  CHECK(seen["to standard output"] == 200);
  CHECK(seen["to standard error"] == 200);
}

// Fault host.logger: the app has a logger, or wants to hear nothing.
// Then: crashes are told to it; where nothing is wrong nothing is said.
TEST_CASE("an app with nothing wrong hears nothing from the library") {
  const LeakCheck leaks;
  App app("quiet");
  CHECK(app.ending().status == 0);
  CHECK(app.written().empty());
}

// Fault host.logger
TEST_CASE("crashes are told to the logger that the app has set") {
  const LeakCheck leaks;
  std::ostringstream log;
  set_logger(std::make_shared<spdlog::logger>(
      "mine", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  {
    TestPool pool{{.workers = 1}};
    error_of(pool.run(Die{Death::segmentation_fault}));
    pool.shutdown();
  }
  set_logger(std::make_shared<spdlog::logger>("nobody"));
  CHECK(log.str().find("died of SIGSEGV") != std::string::npos);
}

TEST_CASE("a pool that is idle never wakes up") {
  if (BULKHEAD_SANITIZED) return;  // sanitizers have threads of their own, which do
  const LeakCheck leaks;
  TestPool pool{{.workers = 2}};
  for (int i = 0; i < 100; ++i) value_of(pool.run(Add{i, i}));
  auto worker = TestWorker::start();
  value_of(worker.run(Add{1, 2}));
  const auto started = platform::descendants_of({::getpid()});
  CHECK(started.size() == 5);
  if (!system_call_of(started.front().pid, started.front().pid) && ::geteuid() != 0) {
    WARN("this user may not see what its workers wait in");
    return;
  }
  CHECK(wait_until([&] {
    return waits_for_ever(::getpid(), ::gettid()) &&
           std::all_of(started.begin(), started.end(),
                       [](const auto& process) { return waits_for_ever(process.pid); });
  }));
}

// Fault host.crash-handler (one call): a callback crashes on the library's thread.
// Then: the app's own handler of crashes hears of it. Other signals are left to the app's threads.
TEST_CASE("a crash on the library's thread comes to the app's own handler") {
  const LeakCheck leaks;
  struct sigaction count {};
  struct sigaction old {};
  count.sa_handler = [](int) { crashes_seen = crashes_seen + 1; };
  REQUIRE(::sigaction(SIGSEGV, &count, &old) == 0);
  {
    TestPool pool{{.workers = 1}};
    std::promise<bool> blocks_others;
    pool.async_run(Add{1, 2}, {}, [&](std::exception_ptr, int) {
      ::raise(SIGSEGV);
      sigset_t blocked;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      blocks_others.set_value(sigismember(&blocked, SIGUSR1) == 1);
    });
    CHECK(blocks_others.get_future().get());
  }
  REQUIRE(::sigaction(SIGSEGV, &old, nullptr) == 0);
  CHECK(crashes_seen == 1);
}

// Fault host.signals: the app ignores or blocks signals.
// Then: its settings stay as they are, and its workers do not inherit them. A worker that is
// gone raises no SIGPIPE.
TEST_CASE("a peer that is gone raises no SIGPIPE in the app") {
  const LeakCheck leaks;
  struct sigaction count {};
  struct sigaction old {};
  count.sa_handler = [](int) { broken_pipes = broken_pipes + 1; };
  REQUIRE(::sigaction(SIGPIPE, &count, &old) == 0);
  {
    TestPool pool{{.workers = 2}};
    for (int i = 0; i < 20; ++i) {
      std::vector<Future<std::string>> calls;
      for (int k = 0; k < 20; ++k) calls.push_back(pool.run(Echo{std::string(50'000, 'x')}));
      auto death = pool.run(Die{Death::kill});
      for (auto& call : calls) {
        try {
          value_of(std::move(call));
        } catch (const Error& error) {
          CHECK(error.code() == errc::worker_crashed);
        }
      }
      error_of(std::move(death));
    }
    REQUIRE(::kill(value_of(pool.run(LookAround{})).parent, SIGKILL) == 0);
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
  struct sigaction now {};
  ::sigaction(SIGPIPE, &old, &now);
  CHECK(now.sa_handler == count.sa_handler);
  CHECK(broken_pipes == 0);
}

// Fault host.signals
TEST_CASE("signals that the app ignores or blocks are not ignored in its workers") {
  const LeakCheck leaks;
  const auto old = std::signal(SIGTERM, SIG_IGN);
  auto worker = TestWorker::start();
  std::signal(SIGTERM, old);
  REQUIRE(::kill(worker.pid(), SIGTERM) == 0);
  REQUIRE(wait_until([&] { return worker.crash().has_value(); }));
  CHECK(worker.crash()->status.signal == SIGTERM);
}

// Fault host.children
TEST_CASE("an app that ignores the ends of its children learns how workers ended") {
  const LeakCheck leaks;
  const auto old = std::signal(SIGCHLD, SIG_IGN);
  {
    TestPool pool{{.workers = 1}};
    const Error error = error_of(pool.run(Die{Death::exit_3}));
    REQUIRE(error.crash());
    CHECK(error.crash()->status == ExitStatus{.code = 3});
    CHECK(value_of(pool.run(Add{1, 2})) == 3);
  }
  std::signal(SIGCHLD, old);
}
