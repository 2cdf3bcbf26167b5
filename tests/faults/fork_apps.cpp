// Applications that fork without exec while they have workers.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/service/handlers.hpp"
#include "support/deny_system_call.hpp"
#include "support/in_child.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

namespace {

namespace fs = std::filesystem;

void expect_foreign(const Error& error, pid_t owner) {
  expect(error.code() == errc::shut_down, error.what());
  expect(mentions(error, "belong to process " + std::to_string(owner)), error.what());
  expect(mentions(error, "workers of its own"), error.what());
}

void use_own_workers() {
  TestPool own{{.workers = 2}};
  expect(value_of(own.run(Add{1, 2})) == 3);
  expect(error_of(own.run(Die{Death::exit_3})).crash()->status.code == 3);
  expect(value_of(own.run(Add{3, 4})) == 7);
  expect(wait_until([&] { return own.stats().workers == 2; }));
  expect(own.shutdown().workers_left == 2);
  auto lone = TestWorker::start();
  expect(value_of(lone.run(Add{1, 2})) == 3);
}

int await_end(pid_t child) {
  int status = -1;
  expect(::waitpid(child, &status, 0) == child);
  return status;
}

struct Owned {
  TestPool pool{{.workers = 2}};
  std::optional<TestWorker> lone = TestWorker::start();
};

// What a process finds of what the one that forked it owns.
void look_at_inherited(Owned& inherited, pid_t owner) {
  expect_foreign(error_of(inherited.pool.run(Add{1, 2})), owner);
  expect_foreign(error_of(inherited.lone->run(Add{1, 2})), owner);
  expect_foreign(start_error_of([&] { return inherited.pool.reload(), 0; }), owner);
  expect(inherited.pool.stats().workers == 0);
  expect(!inherited.lone->alive());
  expect(inherited.lone->pid() == 0);
  expect(!inherited.lone->crash());
  const ShutdownReport report = inherited.pool.shutdown(std::chrono::hours(1));
  expect(report.workers_left == 0 && report.workers_killed == 0 && report.calls_failed == 0);
  expect(inherited.lone->shutdown().workers_left == 0);
}

// folder, and how the fork ends.
int forks(const AppArguments& given) {
  const fs::path folder = given.at(0);
  const std::string how = given.at(1);
  if (how == "no_wipe") deny_system_call(SYS_madvise);
  static Owned owned;
  const pid_t self = ::getpid();
  auto running = owned.pool.run(Block{folder / "begun", folder / "go"});
  auto polled = owned.pool.run(Block{folder / "begun2", folder / "go"});
  auto answered = owned.pool.run(Answer{100});
  wait_for(folder / "begun");
  wait_for(folder / "begun2");
  const pid_t child = ::fork();
  if (child == 0) {
    expect(polled.ready());
    expect_foreign(error_of(std::move(polled)), self);
    expect_foreign(error_of(std::move(running)), self);
    expect_foreign(error_of(std::move(answered)), self);
    look_at_inherited(owned, self);
    use_own_workers();
    if (how == "destroys") owned.lone.reset();
    if (how == "_exit") ::_exit(0);
    return 0;
  }
  expect(await_end(child) == 0, "in the fork");
  put(folder / "go", "");
  expect(value_of(std::move(running)) > 0);
  expect(value_of(std::move(polled)) > 0);
  expect(value_of(std::move(answered)).size() == 100);
  expect(owned.lone->alive() && value_of(owned.lone->run(Add{1, 2})) == 3);
  expect(owned.pool.stats().workers == 2 && owned.pool.stats().crashes == 0);
  expect(owned.pool.shutdown().workers_left == 2);
  return 0;
}

// folder. Forks again and again while other threads are in the midst of all that takes a lock.
int forks_in_turmoil(const AppArguments&) {
  set_logger(spdlog::null_logger_mt("nobody"));
  static Owned owned;
  std::atomic<bool> over = false;
  auto& threads = *new std::vector<std::thread>;  // a fork has none of them, and cannot join any
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!over) {
        value_of(owned.pool.run(Add{1, 2}));
        owned.pool.stats();
        error_of(owned.pool.run(Die{Death::kill}));
      }
    });
  const pid_t self = ::getpid();
  for (int i = 0; i < 25; ++i) {
    auto call = owned.pool.run(Add{1, 2});
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(30);
      if (!call.ready() || i % 2 == 0) look_at_inherited(owned, self);
      try {
        expect(call.get() == 3);
      } catch (const Error& error) {
        expect_foreign(error, self);
      }
      if (i % 8 == 0) use_own_workers();
      return 0;
    }
    expect(await_end(child) == 0, "in fork " + std::to_string(i));
  }
  over = true;
  for (auto& thread : threads) thread.join();
  return 0;
}

// folder. A fork of it lives on when it ends.
int outlived(const AppArguments& given) {
  const fs::path folder = given.at(0);
  TestPool pool{{.workers = 2}};
  const View view = value_of(pool.run(LookAround{}));
  const pid_t child = ::fork();
  while (child == 0) ::pause();
  put(folder / "ready",
      std::to_string(child) + " " + std::to_string(view.parent) + " " + std::to_string(view.pid));
  for (;;) ::pause();
}

// folder. Becomes a daemon, too late.
int daemonises(const AppArguments& given) {
  const fs::path folder = given.at(0);
  static std::optional<TestPool> pool(PoolOptions{.workers = 2});
  const pid_t parent = ::getpid();
  expect(value_of(pool->run(Add{1, 2})) == 3);
  if (::fork() != 0) return 0;
  ::setsid();
  expect(wait_until([&] { return ::getppid() != parent; }));
  expect_foreign(error_of(pool->run(Add{1, 2})), parent);
  pool.emplace(PoolOptions{.workers = 2});
  expect(value_of(pool->run(Add{1, 2})) == 3);
  put(folder / "done", "");
  return 0;
}

}  // namespace

const Apps fork_apps{{"forks", forks},
                     {"forks_in_turmoil", forks_in_turmoil},
                     {"outlived", outlived},
                     {"daemonises", daemonises}};

}  // namespace bulkhead::test
