// The in-process twin of a pool, where it differs from one. What holds for both is tested with both
// by the tests of what it is.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "faults/calls.hpp"
#include "faults/service/steering_service.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

struct Sum {
  using Response = int;
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a, b);
  }
};
struct Sums : Service<"sums", Sum> {};

int add_up(const Sum& sum) { return sum.a + sum.b; }

// What an application has somewhere, and knows nothing of twins.
int use(Pool<Sums>& pool) { return value_of(pool.run(Sum{1, 2})); }

// A handler that is under way until it is let go, and heeds nothing.
struct Stubborn {
  std::atomic<bool> entered = false, may_return = false;
  int operator()(const Sum&) {
    entered = true;
    static_cast<void>(wait_until([this] { return may_return.load(); }));
    return 0;
  }
};

}  // namespace

TEST_CASE("what calls a pool can be tested without processes") {
  const LeakCheck leaks;
  InlinePool<Sums> pool(add_up);
  CHECK(use(pool) == 3);
  CHECK(pool.stats().workers == 1);
  CHECK(pool.stats().each.at(0).pid == ::getpid());
  const ShutdownReport report = pool.shutdown();
  CHECK(report.workers_left == 1);
  CHECK(report.workers_killed == 0);
  CHECK(error_of(pool.run(Sum{})).code() == errc::shut_down);
}

TEST_CASE("handlers of a pool without processes see what the test has set up, one at a time") {
  const LeakCheck leaks;
  int calls = 0;  // without a lock
  const auto thread = std::this_thread::get_id();
  InlinePool<Sums> pool([&calls, thread, unique = std::make_unique<int>(7)](const Sum& sum) {
    ++calls;
    if (std::this_thread::get_id() == thread) throw std::logic_error("on the caller's thread");
    return sum.a * *unique;
  });
  std::vector<Future<int>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(pool.run(Sum{i, 0}));
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(answers[static_cast<std::size_t>(i)])) == 7 * i);
  pool.shutdown();
  CHECK(calls == 100);
}

TEST_CASE("a pool without processes runs as many handlers at once as it has workers and threads") {
  const LeakCheck leaks;
  std::atomic<int> inside = 0;
  const auto meet = [&inside](const Sum&) {
    ++inside;
    static_cast<void>(wait_until([&] { return inside >= 6; }));
    return inside.load();
  };
  InlinePool<Sums> pool({.workers = 3}, {.threads = 2}, meet);
  std::vector<Future<int>> all;
  for (int i = 0; i < 6; ++i) all.push_back(pool.run(Sum{}));
  for (auto& call : all) CHECK(value_of(std::move(call)) == 6);
}

TEST_CASE("what a worker of threads is to do around its calls it does") {
  const LeakCheck leaks;
  std::mutex mutex;
  std::vector<std::string> log;
  const auto note = [&](const char* what) {
    return [&, what] {
      const std::lock_guard lock(mutex);
      log.emplace_back(what);
    };
  };
  InlinePool<Sums> pool(
      {.workers = 1},
      {.preload = note("preload"), .warm_up = note("warm up"), .on_exit = note("exit")},
      [&](const Sum&) {
        note("call")();
        return 0;
      });
  value_of(pool.run(Sum{}));
  pool.shutdown();
  CHECK(log == std::vector<std::string>{"preload", "warm up", "call", "exit"});
}

TEST_CASE("a pool without processes whose preparations throw does not start, and says why") {
  const LeakCheck leaks;
  const auto fail = [] { throw std::runtime_error("no licence"); };
  const auto start = [&](const ServeOptions& serve) {
    return start_error_of([&] { return InlinePool<Sums>({.workers = 2}, serve, add_up); });
  };
  for (const Error& error :
       {start({.preload = fail}), start({.warm_up = fail}), start({.threads = 0})}) {
    INFO(error.what());
    CHECK(error.code() == errc::start_failed);
  }
  CHECK_THAT(start({.warm_up = fail}).what(),
             Catch::Contains("its warm_up threw std::runtime_error: no licence"));
  CHECK_THAT(start({.preload = fail}).what(),
             Catch::Contains("its preload threw std::runtime_error: no licence"));
  CHECK_THROWS_AS(InlinePool<Sums>(PoolOptions{.workers = 0}, add_up), std::invalid_argument);
}

TEST_CASE("a handler that is past its time costs a pool without processes a thread, and no call") {
  const LeakCheck leaks;
  const auto stubborn = std::make_shared<Stubborn>();
  InlinePool<Sums> pool({.workers = 1, .kill_grace = 0ms}, [stubborn](const Sum& sum) {
    return sum.a == 0 ? (*stubborn)(sum) : add_up(sum);
  });
  auto late = pool.run(Sum{}, {.timeout = 20ms});
  auto behind = pool.run(Sum{1, 1});
  const Error error = error_of(std::move(late));
  CHECK(error.code() == errc::deadline_exceeded);
  REQUIRE(error.crash());
  CHECK(error.crash()->cause == Cause::deadline);
  CHECK(value_of(std::move(behind)) == 2);  // by another thread
  CHECK(stubborn->entered);
  stubborn->may_return = true;
}

TEST_CASE("handlers that run when a pool without processes is dropped are asked to stop") {
  const LeakCheck leaks;
  std::atomic<int> entered = 0, stopped = 0;
  std::vector<Future<int>> calls;
  {
    InlinePool<Sums> pool({.workers = 2}, [&](const Sum& sum, Context& context) {
      ++entered;
      if (sum.a == 0) {
        static_cast<void>(wait_until([&] { return context.stop_requested(); }));
      } else {
        std::atomic<bool> told = false;
        const std::stop_callback callback(context.stop_token(), [&] {
          told = true;
          told.notify_one();
        });
        told.wait(false);
      }
      return ++stopped;
    });
    for (int i = 0; i < 2; ++i) calls.push_back(pool.run(Sum{i, 0}));
    static_cast<void>(wait_until([&] { return entered == 2; }));
  }
  CHECK(stopped == 2);  // the pool has waited for them
  for (auto& call : calls) CHECK(error_of(std::move(call)).code() == errc::shut_down);
}

TEST_CASE("what a handler of a pool without processes logs is logged as a worker's") {
  const LeakCheck leaks;
  std::ostringstream log;
  set_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  InlinePool<Sums> pool([](const Sum&) {
    spdlog::get("bulkhead")->info("adding\nup");
    return 0;
  });
  value_of(pool.run(Sum{}));
  pool.shutdown();
  set_logger(spdlog::null_logger_mt("nobody again"));
  CHECK_THAT(log.str(), Catch::Contains("sums worker " + std::to_string(::getpid()) +
                                        ", call 1: adding\\x0aup"));
}

TEST_CASE("a pool without processes can be moved to where a pool is expected, and be empty") {
  const LeakCheck leaks;
  InlinePool<Sums> twin(add_up);
  Pool<Sums> pool = std::move(twin);
  CHECK(use(pool) == 3);
  CHECK(error_of(twin.run(Sum{})).code() == errc::shut_down);
}

TEST_CASE("pools without processes are started and dropped again and again") {
  const LeakCheck leaks;
  for (int i = 0; i < 50; ++i) {
    InlinePool<Sums> pool({.workers = 3}, add_up);
    auto answer = pool.run(Sum{i, 1});
    if (i % 2 == 0) CHECK(value_of(std::move(answer)) == i + 1);
  }
}

TEST_CASE("a pool without processes replaces its threads") {
  const LeakCheck leaks;
  InlinePool<Sums> pool({.workers = 2, .recycle_after_requests = 10}, add_up);
  const auto many_replaced = [&] {
    REQUIRE(use(pool) == 3);
    return pool.stats().recycled > 5;
  };
  CHECK(wait_until(many_replaced));
  pool.reload();
  CHECK(use(pool) == 3);
  CHECK(pool.stats().crashes == 0);
}

TEST_CASE("a pool without processes says that nothing holds its workers") {
  const LeakCheck leaks;
  const Sandbox sandbox = Sandbox::contained().memory(1).processes(1);
  InlinePool<Sums> pool({.workers = 1, .sandbox = sandbox}, add_up);
  CHECK(use(pool) == 3);
  CHECK_FALSE(pool.containment().memory.in_force);
  CHECK_FALSE(pool.containment().session.in_force);
  CHECK(pool.containment().memory.how == "the workers are threads of this process");
}
