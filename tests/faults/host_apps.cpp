// Applications that handle children, signals and their own end in every way that there is.
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t signals_seen = 0;

void set_action(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  expect(::sigaction(number, &action, nullptr) == 0);
}

void reap_all(int) {
  const int error = errno;
  while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
  signals_seen = signals_seen + 1;
  errno = error;
}

// ------------------------------------------------------------ children

// Whatever the application does about its children, all of this is so.
void crash_restart_and_end() {
  TestPool pool{{.workers = 2}};
  const Error exited = error_of(pool.run(Die{Death::exit_3}));
  expect(exited.crash() && exited.crash()->status == ExitStatus{.code = 3}, exited.what());
  const Error killed = error_of(pool.run(Die{Death::segmentation_fault}));
  expect(killed.crash() && killed.crash()->status.signal == SIGSEGV, killed.what());
  expect(wait_until([&] { return pool.stats().workers == 2; }));
  const pid_t server = value_of(pool.run(LookAround{})).parent;
  expect(::kill(server, SIGKILL) == 0);
  expect(wait_until([&] { return pool.stats().crashes == 4; }), "workers end with it");
  expect(value_of(pool.run(LookAround{})).parent != server);
  const Error missing =
      start_error_of([] { return TestPool({.launch = Launch::executable("/no/such")}); });
  expect(missing.code() == errc::start_failed && missing.system().value() == ENOENT,
         missing.what());
  const Error stranger =
      start_error_of([] { return TestPool({.launch = Launch::executable("/bin/true")}); });
  expect(stranger.code() == errc::start_failed, stranger.what());
  expect(wait_until([&] { return pool.stats().workers == 2; }));
  const ShutdownReport report = pool.shutdown();
  expect(report.workers_left == 2 && report.workers_killed == 0,
         std::to_string(report.workers_left) + " left, " + std::to_string(report.workers_killed) +
             " killed");
}

// folder, and what it does about its children.
int reaps(const AppArguments& given) {
  const std::string& how = given.at(1);
  if (how == "ignores") set_action(SIGCHLD, SIG_IGN, 0);
  if (how == "no_wait")
    set_action(
        SIGCHLD, [](int) {}, SA_NOCLDWAIT);
  if (how == "handler") set_action(SIGCHLD, reap_all, SA_RESTART);
  std::atomic<bool> over = false;
  std::optional<std::thread> thread;
  if (how == "thread")
    thread.emplace([&] {
      while (!over)
        if (::waitpid(-1, nullptr, 0) < 0) std::this_thread::yield();
    });
  struct sigaction before {};
  ::sigaction(SIGCHLD, nullptr, &before);
  crash_restart_and_end();
  struct sigaction after {};
  ::sigaction(SIGCHLD, nullptr, &after);
  expect(before.sa_handler == after.sa_handler && before.sa_flags == after.sa_flags);
  if (how == "handler") expect(wait_until([] { return signals_seen > 0; }));
  over = true;
  if (thread) thread->join();
  return 0;
}

// folder. Goes on when a debugger is there.
int debugged(const AppArguments& given) {
  put(fs::path(given.at(0)) / "ready", "");
  wait_for(fs::path(given.at(0)) / "go");
  crash_restart_and_end();
  return 0;
}

void expect_no_children() {
  expect(wait_until([] { return platform::children_of(::getpid()).empty(); }), "a child is left");
}

void crash_restart_and_end_gently() {
  TestPool pool{{.workers = 2}};
  for (const Helper helper : {Helper::child, Helper::own_session, Helper::grandchild})
    value_of(pool.run(Start{helper}));
  for (int i = 0; i < 5; ++i) {
    const Error exited = error_of(pool.run(Die{Death::exit_3}));
    expect(exited.crash() && exited.crash()->status == ExitStatus{.code = 3}, exited.what());
  }
  expect(value_of(pool.run(Add{1, 2})) == 3);
  value_of(pool.run(Start{Helper::grandchild}));
  pool.shutdown();
}

int subreaper(const AppArguments&) {
  expect(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  crash_restart_and_end_gently();
  expect_no_children();
  { TestPool dropped{{.workers = 2}}; }
  expect_no_children();
  return 0;
}

// The first process of a container.
int init(const AppArguments&) {
  if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) return not_permitted;
  const pid_t child = ::fork();
  if (child != 0) {
    int status = -1;
    expect(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", 0, nullptr) != 0)
    return not_permitted;
  expect(::getpid() == 1);
  crash_restart_and_end_gently();
  expect_no_children();
  return 0;
}

// ------------------------------------------------------------ signals and ends

// folder. Its terminal's Ctrl-C goes to it and all that it started, but for what left its group.
int interrupted(const AppArguments& given) {
  const fs::path folder = given.at(0);
  set_action(
      SIGINT, [](int) { signals_seen = signals_seen + 1; }, SA_RESTART);
  TestPool pool{{.workers = 1}};
  const pid_t pid = pid_of(pool);
  auto running = pool.run(Block{folder / "begun", folder / "go"});
  put(folder / "ready", "");
  expect(wait_until([] { return signals_seen > 0; }));
  put(folder / "go", "");
  expect(value_of(std::move(running)) == pid);
  expect(pid_of(pool) == pid && pool.stats().crashes == 0);
  return 0;
}

// What may hold a pool until the end of the process.
std::optional<TestPool> global;
thread_local std::optional<TestPool> of_thread;

// folder, who holds the pool, how it ends. Calls run then, and others are waited for.
int leaves(const AppArguments& given) {
  const fs::path folder = given.at(0);
  const std::string &holder = given.at(1), &how = given.at(2);
  const PoolOptions options{.workers = 2};
  std::optional<TestPool> own;
  TestPool* pool = nullptr;
  if (holder == "global") pool = &global.emplace(options);
  if (holder == "thread_local") pool = &of_thread.emplace(options);
  if (holder == "stack") pool = &own.emplace(options);
  if (holder == "leaked") pool = new TestPool(options);
  std::vector<std::thread> waiting;
  for (const char* name : {"one", "two", "three"}) {
    auto call = pool->run(Block{folder / name, folder / "never"});
    waiting.emplace_back([call = std::move(call)]() mutable {
      try {
        call.get();
      } catch (const Error&) {
      }
    });
    waiting.back().detach();
  }
  wait_for(folder / "one");
  wait_for(folder / "two");
  if (how == "return") return 0;
  if (how == "handler") {
    set_action(
        SIGUSR1, [](int) { std::exit(0); }, 0);
    ::raise(SIGUSR1);
  }
  if (how == "thread") {
    std::thread([] { std::exit(0); }).detach();
    for (;;) ::pause();
  }
  if (how == "quick_exit") std::quick_exit(0);
  return 1;
}

}  // namespace

const Apps host_apps{{"reaps", reaps}, {"debugged", debugged},       {"subreaper", subreaper},
                     {"init", init},   {"interrupted", interrupted}, {"leaves", leaves}};

}  // namespace bulkhead::test
