// What handlers tell of their progress: in order, the last value for sure, and none afterwards.
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <mutex>

#include "faults/calls.hpp"
#include "faults/service/progress_service.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

using ProgressPool = Pool<ProgressService>;

// What a caller was told, on the library's thread.
template <class T>
class Heard {
 public:
  std::function<void(T)> listener() {
    return [this](T value) {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
    };
  }
  std::vector<T> values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::size_t count() const { return values().size(); }
  bool ends_with(const T& value) const {
    const auto all = values();
    return !all.empty() && all.back() == value;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
};

bool in_order(const std::vector<int>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

// A function that keeps the library's thread until it may go on.
struct Stalled {
  std::atomic<bool> entered = false, may_go_on = false;
  void wait() {
    entered = true;
    expect(wait_until([this] { return may_go_on.load(); }));
  }
};

}  // namespace

TEST_CASE("a caller hears of progress in order, and of the last value before the answer") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 3u);
  const int upto = GENERATE(0, 1, 2, 100, 50'000);
  INFO(threads << " threads, up to " << upto);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1}, threads);
  Heard<int> heard;
  CHECK(value_of(pool.run(Count{upto}, {}, heard.listener())) == upto);
  const auto values = heard.values();
  CHECK(in_order(values));
  CHECK(values.empty() == (upto == 0));
  if (!values.empty()) CHECK(values.back() == upto);
}

TEST_CASE("many calls that tell of their progress at once each hear of their own") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 2}, GENERATE(1u, 3u));
  std::vector<Heard<int>> heard(300);
  std::vector<Future<int>> calls;
  for (std::size_t i = 0; i < heard.size(); ++i)
    calls.push_back(pool.run(Count{int(i) + 1}, {.timeout = 1h}, heard[i].listener()));
  for (std::size_t i = 0; i < heard.size(); ++i) {
    CHECK(value_of(std::move(calls[i])) == int(i) + 1);
    const auto values = heard[i].values();
    CHECK(in_order(values));
    REQUIRE_FALSE(values.empty());
    CHECK(values.back() == int(i) + 1);
  }
}

TEST_CASE("who gives no function hears nothing, and the handler need not know") {
  const LeakCheck leaks;
  auto worker = Worker<ProgressService>::start();
  CHECK(value_of(worker.run(Count{1000})) == 1000);
  CHECK(value_of(worker.run(Count{1000}, {})) == 1000);
  CHECK(value_of(worker.run(Count{1000}, {}, nullptr)) == 1000);
  Heard<int> heard;
  CHECK(value_of(worker.run(Count{1000}, {}, heard.listener())) == 1000);
  CHECK(heard.ends_with(1000));
}

TEST_CASE("no value comes once a call has ended, however it ends") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 2, .kill_grace = 1h});
  std::atomic<int> late = 0;
  for (int i = 0; i < 300; ++i) {
    auto over = std::make_shared<std::atomic<bool>>(false);
    const auto listener = [over, &late](int) { late += over->load(); };
    auto call = i % 3 == 0   ? pool.run(Count{i % 20}, {}, listener)
                : i % 3 == 1 ? pool.run(Count{.upto = i % 20, .throws = true}, {}, listener)
                             : pool.run(CountOn{}, {.timeout = i * 20us}, listener);
    REQUIRE(call.wait_for(default_watchdog));
    *over = true;
  }
  CHECK(late == 0);
}

// Fault value.slow-listener (one call, many calls): a caller's function for progress values is
// slower than the handler that tells them.
// Then: it gets the latest value only, and the last one before the answer. The handler never waits.
TEST_CASE("a handler does not wait for a slow listener, which hears of the latest value") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 3u);
  const std::size_t size = GENERATE(as<std::size_t>(), 100, 50'000, 1 << 20);
  INFO(threads << " threads, values of " << size);
  const TempDir folder;
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1}, threads);
  Stalled stalled;
  Heard<int> heard;
  const CountLarge request{
      .upto = 200, .size = size, .told = folder / "told", .until = folder / "until"};
  auto call = pool.run(request, {}, [&, hear = heard.listener()](std::pair<int, Bytes> value) {
    hear(value.first);
    stalled.wait();
  });
  REQUIRE(wait_until([&] { return stalled.entered.load(); }));
  // Nobody receives, and the ring has no room for all of them.
  REQUIRE(wait_until([&] { return std::filesystem::exists(folder / "told"); }));
  stalled.may_go_on = true;
  // The last one comes while the handler does something else.
  CHECK(wait_until([&] { return heard.ends_with(200); }));
  CHECK_FALSE(call.ready());
  std::ofstream(folder / "until");
  CHECK(value_of(std::move(call)) == 200);
  CHECK(in_order(heard.values()));
}

// Fault value.slow-listener (many calls)
TEST_CASE("a call whose listener is slow keeps no other call from its answer") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1}, GENERATE(1u, 3u));
  Stalled stalled;
  auto slow = pool.run(Count{10}, {}, [&](int) { stalled.wait(); });
  REQUIRE(wait_until([&] { return stalled.entered.load(); }));
  for (int i = 0; i < 100; ++i) CHECK(value_of(pool.run(Count{i})) == i);
  CHECK_FALSE(slow.ready());
  stalled.may_go_on = true;
  CHECK(value_of(std::move(slow)) == 10);
}

TEST_CASE("bytes in progress values are the caller's own") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1});
  std::vector<std::pair<int, Bytes>> values;
  const CountLarge request{.upto = 50, .size = 200'000};
  const auto hear = [&](std::pair<int, Bytes> value) { values.push_back(std::move(value)); };
  CHECK(value_of(pool.run(request, {}, hear)) == 50);
  REQUIRE_FALSE(values.empty());
  for (const auto& [number, bytes] : values) {
    CHECK(bytes.size() == 200'000);
    const auto is_number = [n = number](std::byte one) { return one == std::byte(n); };
    CHECK(std::all_of(bytes.data(), bytes.data() + bytes.size(), is_number));
  }
}

TEST_CASE(
    "a value that is too large for a message, or not of the request's type, is an exception") {
  const LeakCheck leaks;
  ProgressPool pool{{.workers = 1, .max_message = 1000}};
  Heard<std::pair<int, Bytes>> heard;
  const Error large = error_of(pool.run(CountLarge{.upto = 1, .size = 1000}, {}, heard.listener()));
  CHECK(large.code() == errc::handler_failed);
  CHECK(mentions(large, "bytes, more than max_message allows"));
  CHECK(heard.count() == 0);
  const Error other = error_of(pool.run(TellText{}, {}, [](double) {}));
  INFO(other.what());
  CHECK(other.code() == errc::handler_failed);
  CHECK(mentions(other, "but the Progress of TellText is double"));
  CHECK(error_of(pool.run(TellText{})).code() == errc::handler_failed);
  CHECK(mentions(error_of(pool.run(TellAnything{})), "TellAnything has no Progress"));
}

// Fault crash.told (one call): a worker dies when it has told of its progress.
// Then: its caller hears of what it told last. A call that is tried again tells anew.
TEST_CASE("what a worker told before it died is heard, and the next attempt's values come after") {
  const LeakCheck leaks;
  const TempDir folder;
  ProgressPool pool{{.workers = 1}};
  Heard<std::pair<int, int>> heard;
  CHECK(value_of(pool.run(Attempt{folder / "", 3}, {}, heard.listener())) == 3);
  const auto values = heard.values();
  CHECK(std::is_sorted(values.begin(), values.end()));
  CHECK(std::adjacent_find(values.begin(), values.end()) == values.end());
  CHECK(heard.ends_with({3, 2}));

  const TempDir other;
  Heard<std::pair<int, int>> until_the_end;
  const Attempt fatal{other / "", 100};
  CHECK(error_of(pool.run(fatal, {}, until_the_end.listener())).code() == errc::worker_crashed);
  CHECK(until_the_end.ends_with({3, 2}));
}

// Fault stop.told (one call): a call that tells of its progress is called off, or its future
// dropped.
// Then: its caller hears nothing more.
TEST_CASE("a call that is called off, or whose future is dropped, tells nothing more") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const bool drops = GENERATE(false, true);
  const TempDir folder;
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1, .kill_grace = 1h});
  Heard<int> heard;
  auto call = pool.run(CountOn{folder / "until"}, {}, heard.listener());
  REQUIRE(wait_until([&] { return heard.count() >= 3; }));
  if (drops)
    call = {};
  else
    call.cancel();
  const std::size_t then = heard.count();
  std::ofstream(folder / "until");
  // What was told before this one's is told.
  Heard<int> other;
  CHECK(value_of(pool.run(Count{1}, {}, other.listener())) == 1);
  CHECK(heard.count() <= then + 1);  // one was being told
  if (!drops) CHECK(error_of(std::move(call)).code() == errc::cancelled);
}

// Fault end.told (one call): a pool ends while a call tells of its progress.
// Then: its caller hears of its end, and nothing after that.
TEST_CASE("a pool that is shut down, or destroyed, tells nothing more") {
  const LeakCheck leaks;
  const bool destroyed = GENERATE(false, true);
  Heard<int> heard;
  std::optional<ProgressPool> pool{PoolOptions{.workers = 1}};
  auto call = pool->run(CountOn{}, {}, heard.listener());
  REQUIRE(wait_until([&] { return heard.count() >= 3; }));
  if (destroyed)
    pool.reset();
  else
    pool->shutdown(0ms);
  CHECK(error_of(std::move(call)).code() == errc::shut_down);
  const std::size_t then = heard.count();
  pool.reset();
  CHECK(heard.count() == then);
}

TEST_CASE("a listener may make calls, call its own off, and throw") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  ProgressPool pool = pool_of<ProgressService>(kind, {.workers = 1, .kill_grace = 1h});
  std::atomic<int> heard = 0;
  std::vector<Future<int>> others;
  std::stop_source stop;
  auto call = pool.run(CountOn{}, {.stop = stop.get_token()}, [&](int) {
    if (++heard < 5) return others.push_back(pool.run(Count{heard}));
    stop.request_stop();
    throw std::runtime_error("no screen");
  });
  CHECK(error_of(std::move(call)).code() == errc::cancelled);
  CHECK(heard >= 5);  // its token may not have been known to the call yet
  for (auto& other : others) CHECK(value_of(std::move(other)) > 0);
}

// Fault host.forks (one call)
TEST_CASE("a fork of the app that waits for a value to be told is told that its call is lost") {
  const LeakCheck leaks;
  ProgressPool pool{{.workers = 1}};
  Stalled stalled;
  auto call = pool.run(Count{10}, {}, [&](int) { stalled.wait(); });
  REQUIRE(wait_until([&] { return stalled.entered.load(); }));
  const int status = in_child([&] { expect(error_of(std::move(call)).code() == errc::shut_down); });
  CHECK(status == 0);
  stalled.may_go_on = true;
  CHECK(value_of(std::move(call)) == 10);
}

// Fault hostile.progress (one call, many calls): it tells of calls that it does not have, unasked,
// or values that cannot be.
// Then: `protocol_violation`.
TEST_CASE("a forged progress value ends its worker, and fails its call") {
  const LeakCheck leaks;
  ProgressPool pool{{.workers = 1}};
  for (int i = 0; i < static_cast<int>(ForgedProgress::count); ++i) {
    INFO(i);
    const auto how = static_cast<ForgedProgress>(i);
    std::atomic<int> heard = 0;
    const auto listener = [&](std::uint64_t) { ++heard; };
    auto call = how == ForgedProgress::unasked ? pool.run(ForgeProgress{how})
                                               : pool.run(ForgeProgress{how}, {}, listener);
    std::vector<Future<int>> others;
    for (int other = 0; other < 20; ++other) others.push_back(pool.run(Count{other}));
    const Error error = error_of(std::move(call));
    INFO(error.what());
    CHECK(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->cause == Cause::protocol_violation);
    CHECK(heard == 0);
    for (int other = 0; other < 20; ++other)
      CHECK(value_of(std::move(others[std::size_t(other)])) == other);
  }
}
