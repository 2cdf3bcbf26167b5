// Applications that look at what a library may change behind their back.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "faults/channels.hpp"
#include "faults/settings.hpp"
#include "platform/proc.hpp"
#include "platform/unsanitized.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

// Sees to it that they stay as they are.
class Watch {
 public:
  explicit Watch(const std::string& folder) {
    make_own_settings(folder);
    before_ = own_settings();
  }
  void look(const std::string& after) const {
    const std::string changed = changes(before_, own_settings());
    expect(changed.empty(), "after " + after + ":\n" + changed);
    expect(signals_counted() == 0, "a signal came, after " + after);
  }

 private:
  Settings before_;
};

void use_pool(const Watch& watch) {
  TestPool pool{{.workers = 2, .spares = 1, .heartbeat = std::chrono::milliseconds(50)}};
  watch.look("a start");
  expect(value_of(pool.run(Add{1, 2})) == 3);
  expect(value_of(pool.run(Echo{std::string(1 << 20, 'x')})).size() == 1 << 20);
  expect(error_of(pool.run(Throw{})).code() == errc::handler_failed);
  const Gate gate;
  const Error late =
      error_of(pool.run(gate.call("late"), {.timeout = std::chrono::milliseconds(10)}));
  expect(late.code() == errc::deadline_exceeded, late.what());
  watch.look("calls");
  for (const Death death : {Death::segmentation_fault, Death::exit_3}) {
    const Error crash = error_of(pool.run(Die{death}));
    expect(crash.code() == errc::worker_crashed, crash.what());
    expect(crash.crash() != nullptr);  // its stack has names by now
  }
  watch.look("crashes");
  pool.reload();
  watch.look("a reload");
  expect(::kill(value_of(pool.run(LookAround{})).parent, SIGKILL) == 0);
  expect(value_of(pool.run(Add{1, 2})) == 3);
  watch.look("the end of a fork server");
  pool.shutdown();
  watch.look("a shutdown");
}

void use_channels() {
  ChannelPool pool{{.workers = 2}};
  auto [sender, receiver] = channel<Item>(4);
  auto call = pool.run(Produce{.out = std::move(sender), .count = 100, .size = 10'000});
  std::uint64_t count = 0;
  for (const Item& item : receiver) count += item.text.size() == 10'000;
  value_of(std::move(call));
  expect(count == 100);
}

// folder.
int keeps_settings(const AppArguments& given) {
  const Watch watch(given.at(0));
  use_pool(watch);
  use_channels();
  watch.look("channels");
  {
    auto lone = TestWorker::start();
    expect(error_of(lone.run(Die{Death::abort})).code() == errc::worker_crashed);
    watch.look("the death of a lone worker");
  }
  {
    auto threads = pool_of_threads<TestService>({.workers = 2}, {});
    expect(value_of(threads.run(Add{1, 2})) == 3);
    watch.look("calls of threads");
  }
  start_error_of([] { return TestPool({.launch = Launch::executable("/no/such")}); });
  watch.look("everything");
  return 0;
}

// ------------------------------------------------------------ its end

std::optional<TestPool>& kept_pool() {
  static std::optional<TestPool> pool(PoolOptions{.workers = 2});
  return pool;
}

// What a function that exit() calls finds wrong is what the process ends with.
template <class Part>
void at_exit(Part) {
  expect(std::atexit([] {
           try {
             Part()();
           } catch (const std::exception& error) {
             std::fprintf(stderr, "%s\n", error.what());
             ::_exit(1);
           }
         }) == 0);
}

// folder. What it registers before its pool runs after the pool's end, and the other way round.
int exits_in_order(const AppArguments&) {
  static int ran = 0;
  at_exit([] {
    expect(ran == 2, "this one runs last");
    expect(platform::children_of(::getpid()).empty(), "the pool is not gone");
    // The thread sanitizer has one of its own.
    expect(platform::thread_count() == 1 || BULKHEAD_SANITIZED, "the library's thread is not gone");
    ::_exit(0);
  });
  at_exit([] { expect(++ran == 2); });
  expect(value_of(kept_pool()->run(Add{1, 2})) == 3);
  at_exit([] {
    expect(++ran == 1, "this one runs first");
    expect(value_of(kept_pool()->run(Add{3, 4})) == 7, "the pool is gone already");
  });
  expect(error_of(kept_pool()->run(Die{Death::abort})).code() == errc::worker_crashed);
  return 2;  // unless the last of them says that all is well
}

}  // namespace

const Apps guest_apps{{"keeps_settings", keeps_settings}, {"exits_in_order", exits_in_order}};

}  // namespace bulkhead::test
