// Handlers that are coroutines: many at once in one worker, and what ends them.
#include <signal.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "faults/calls.hpp"
#include "faults/service/coroutine_service.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

using CoroutinePool = Pool<CoroutineService>;

Launch told(unsigned threads, unsigned concurrency = 256) {
  return Launch::self()
      .env("TEST_THREADS", std::to_string(threads))
      .env("TEST_CONCURRENCY", std::to_string(concurrency));
}

// Coroutines and plain handlers that run until they are let go.
class Doors {
 public:
  CoBlock call(const std::string& name) const { return {file(name), file("open"), name}; }
  CoBlockAgain again(const std::string& name) const { return {call(name)}; }
  PlainBlock plain(const std::string& name) const { return {file(name), file("open")}; }
  std::string file(const std::string& name) const { return folder_ / name; }
  bool has(const std::string& name) const { return std::filesystem::exists(file(name)); }
  pid_t runner(const std::string& name) const {
    REQUIRE(wait_until([&] { return has(name); }));
    pid_t pid = 0;
    std::ifstream(file(name)) >> pid;
    return pid;
  }
  void open() const { std::ofstream(folder_ / "open"); }

 private:
  TempDir folder_;
};

std::string text_in(const std::string& file) {
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text);
  return text;
}

template <class Response, class Make>
std::vector<Future<Response>> run_many(CoroutinePool& pool, int count, Make make) {
  std::vector<Future<Response>> calls;
  for (int i = 0; i < count; ++i) calls.push_back(pool.run(make(i)));
  return calls;
}

bool refuses(CoroutinePool& pool) {
  try {
    value_of(pool.run(CoAdd{}));
    return false;
  } catch (const Error& error) {
    return error.code() == errc::shut_down;
  }
}

}  // namespace

TEST_CASE("a hundred coroutines that wait for one another run in one worker, on one thread") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 3u);
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1}, threads);
  auto calls = run_many<pid_t>(pool, 100, [](int) { return Meet{100}; });
  std::set<pid_t> pids;
  for (auto& call : calls) pids.insert(value_of(std::move(call)));
  CHECK(pids.size() == 1);
}

TEST_CASE("coroutine handlers answer as plain ones do, whether they wait or not") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 2u);
  CoroutinePool pool =
      pool_of<CoroutineService>(kind, {.workers = 2, .queue_limit = 10'000}, threads);
  auto sums = run_many<int>(pool, 3000, [](int i) { return CoAdd{i, 1, i % 3 == 0}; });
  for (int i = 0; i < 3000; ++i)
    CHECK(value_of(std::move(sums[static_cast<std::size_t>(i)])) == i + 1);
  value_of(pool.run(CoNothing{}));
  CHECK(value_of(pool.run(ThroughSocket{std::string(1000, 'x')})) == std::string(1000, 'x'));
  CHECK(pool.stats().failed == 0);
}

TEST_CASE("a worker has no more coroutines under way than it is told") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Doors doors;
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1}, 1, 3);
  std::vector<Future<std::string>> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(pool.run(doors.call(std::to_string(i))));
  for (const char* name : {"0", "1", "2"}) doors.runner(name);
  CHECK(pool.stats().in_flight == 3);
  CHECK(pool.stats().queued == 5);
  for (const char* name : {"3", "4", "5", "6", "7"}) CHECK_FALSE(doors.has(name));
  doors.open();
  for (std::size_t i = 0; i < calls.size(); ++i)
    CHECK(value_of(std::move(calls[i])) == std::to_string(i));
}

// Fault start.thread-count (idle)
TEST_CASE("a worker that is to have no coroutine under way, or too many, does not start") {
  const LeakCheck leaks;
  const unsigned concurrency = GENERATE(0u, 1025u);
  const Error error = start_error_of(
      [&] { return Worker<CoroutineService>::start({.launch = told(1, concurrency)}); });
  INFO(error.what());
  CHECK(error.code() == errc::start_failed);
  CHECK(mentions(error, "ServeOptions::concurrency is " + std::to_string(concurrency) +
                            ", and must be from 1 to 1024"));
}

TEST_CASE("plain handlers and coroutines serve one service") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Doors doors;
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1}, 2);
  // They keep a thread each, as ever.
  auto one = pool.run(KeepThread{}), other = pool.run(KeepThread{});
  CHECK(value_of(std::move(one)) == value_of(std::move(other)));
  auto plain = pool.run(doors.plain("plain"));
  auto waits = pool.run(doors.call("waits"));
  CHECK(doors.runner("plain") == doors.runner("waits"));
  auto sums = run_many<int>(pool, 300, [](int i) { return PlainAdd{i, 1}; });
  auto more = run_many<int>(pool, 300, [](int i) { return CoAdd{i, 2, i % 2 == 0}; });
  for (int i = 0; i < 300; ++i) {
    CHECK(value_of(std::move(sums[static_cast<std::size_t>(i)])) == i + 1);
    CHECK(value_of(std::move(more[static_cast<std::size_t>(i)])) == i + 2);
  }
  CHECK_FALSE(plain.ready());
  doors.open();
  CHECK(value_of(std::move(plain)) > 0);
  CHECK(value_of(std::move(waits)) == "waits");
}

TEST_CASE("coroutines run on as many threads as there are") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1}, 2);
  auto one = pool.run(CoKeepThread{}), other = pool.run(CoKeepThread{});
  CHECK(value_of(std::move(one)) == value_of(std::move(other)));
}

// Fault value.throws (one call, many calls)
TEST_CASE("what a coroutine throws fails its call alone, with its type and text") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1});
  auto sums = run_many<int>(pool, 100, [](int i) { return CoAdd{i, 1, true}; });
  for (const Moment when : {Moment::at_once, Moment::later}) {
    const Error error = error_of(pool.run(CoThrow{when}));
    INFO(error.what());
    CHECK(error.code() == errc::handler_failed);
    CHECK(mentions(error, "std::runtime_error"));
    CHECK(mentions(error, "thrown in call "));
  }
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(sums[static_cast<std::size_t>(i)])) == i + 1);
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.heeded (one call)
TEST_CASE("a coroutine hears that it is to stop: what it awaits ends, and its token is told") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Doors doors;
  const CoHeeding how = GENERATE(CoHeeding::awaits, CoHeeding::polls, CoHeeding::token);
  const bool by_deadline = GENERATE(false, true);
  const unsigned threads = GENERATE(1u, 2u);
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1, .kill_grace = 1h}, threads);
  auto beside = pool.run(doors.call("beside"));
  const pid_t pid = doors.runner("beside");
  RunOptions options;
  if (by_deadline) options.run_timeout = 50ms;
  auto call = pool.run(CoHeed{how, doors.file("begun"), doors.file("heard")}, options);
  CHECK(doors.runner("begun") == pid);
  if (!by_deadline) call.cancel();
  CHECK(error_of(std::move(call)).code() ==
        (by_deadline ? errc::deadline_exceeded : errc::cancelled));
  CHECK(wait_until([&] { return doors.has("heard"); }));
  CHECK(text_in(doors.file("heard")) == (how == CoHeeding::awaits ? "aborted" : "told"));
  CHECK(wait_until([&] { return pool.stats().in_flight == 1; }));
  doors.open();
  CHECK(value_of(std::move(beside)) == "beside");
  CHECK(pool.stats().crashes == 0);
}

// Fault stop.unheeded (one call)
TEST_CASE("a worker whose coroutine does not heed is killed, and what may is tried again") {
  const LeakCheck leaks;
  const Doors doors;
  CoroutinePool pool{{.workers = 1, .kill_grace = 10ms}};
  auto beside = pool.run(doors.again("beside"));
  const pid_t pid = doors.runner("beside");
  auto call = pool.run(CoHeed{CoHeeding::never, doors.file("begun"), doors.file("heard")});
  doors.runner("begun");
  call.cancel();
  CHECK(error_of(std::move(call)).code() == errc::cancelled);
  CHECK(wait_until([&] { return doors.runner("beside") != pid && doors.runner("beside") != 0; }));
  doors.open();
  CHECK(value_of(std::move(beside)) == "beside");
  CHECK(pool.stats().crashes == 1);
}

TEST_CASE("a coroutine knows its deadline, tells its progress, and makes bytes") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const unsigned threads = GENERATE(1u, 2u);
  CoroutinePool pool = pool_of<CoroutineService>(kind, {.workers = 1}, threads);
  CHECK(value_of(pool.run(CoAskDeadline{})) == -1);
  const double left = value_of(pool.run(CoAskDeadline{}, {.timeout = 1h}));
  CHECK(left > 0);
  CHECK(left < 3.6e6);

  std::vector<int> told;
  CHECK(value_of(pool.run(CoCount{100}, {}, [&](int i) { told.push_back(i); })) == 100);
  REQUIRE_FALSE(told.empty());
  CHECK(told.back() == 100);
  CHECK(std::is_sorted(told.begin(), told.end()));

  std::vector<Future<std::pair<Bytes, std::string>>> calls;
  constexpr std::size_t size = 300'000;
  for (int i = 0; i < 10; ++i) {
    MutableBytes bytes = pool.make_bytes(size);
    std::fill_n(bytes.data(), size, std::byte(i));
    calls.push_back(pool.run(CoBytes{std::move(bytes), std::string(size, char('a' + i))}));
  }
  for (int i = 0; i < 10; ++i) {
    const auto [bytes, text] = value_of(std::move(calls[static_cast<std::size_t>(i)]));
    REQUIRE(bytes.size() == size);
    CHECK(bytes.data()[size - 1] == std::byte(i + 1));
    CHECK(text == std::string(size, char('a' + i)));
  }
}

// Fault crash.coroutines (many calls): a worker dies in a coroutine, or is killed, while others of
// its coroutines wait.
// Then: the report names all that had begun, and these fail, or are tried again if `idempotent`;
// those that had not begun never notice.
TEST_CASE("a crash names all coroutines that were under way, and fails no other call") {
  const LeakCheck leaks;
  const Doors doors;
  const unsigned threads = GENERATE(1u, 2u);
  CoroutinePool pool{{.workers = 1, .launch = told(threads, 4)}};
  std::vector<Future<std::string>> begun;
  for (const char* name : {"1", "2"}) begun.push_back(pool.run(doors.call(name)));
  auto again = pool.run(doors.again("3"));
  for (const char* name : {"1", "2", "3"}) doors.runner(name);
  const bool by_itself = GENERATE(true, false);
  if (!by_itself) begun.push_back(pool.run(doors.call("4")));
  const pid_t pid = by_itself ? doors.runner("1") : doors.runner("4");
  auto dies = by_itself ? pool.run(CoDie{Moment::later}) : Future<void>();
  auto waiting = run_many<int>(pool, 100, [](int i) { return CoAdd{i, 1, true}; });
  if (!by_itself) REQUIRE(::kill(pid, SIGKILL) == 0);
  const std::string how = by_itself ? "SIGABRT" : "SIGKILL";
  for (auto& call : begun) {
    const Error error = error_of(std::move(call));
    INFO(error.what());
    CHECK(error.code() == errc::worker_crashed);
    CHECK(mentions(error, how + " while it ran CoBlock (call "));
    REQUIRE(error.crash());
    CHECK(error.crash()->running.size() == 4);
  }
  if (by_itself) CHECK(error_of(std::move(dies)).code() == errc::worker_crashed);
  doors.open();
  CHECK(value_of(std::move(again)) == "3");
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == i + 1);
  CHECK(pool.stats().crashes == 1);
}

// Fault end.shutdown (many calls)
TEST_CASE(
    "a shutdown waits for the coroutines that are under way, and the worker leaves by itself") {
  const LeakCheck leaks;
  const Doors doors;
  const unsigned threads = GENERATE(1u, 2u);
  CoroutinePool pool{
      {.workers = 1, .launch = told(threads).env("TEST_ON_EXIT_TOUCH", doors.file("left"))}};
  auto waits = pool.run(doors.call("waits"));
  doors.runner("waits");
  ShutdownReport report;
  std::thread shutting([&] { report = pool.shutdown(); });
  REQUIRE(wait_until([&] { return refuses(pool); }));
  CHECK_FALSE(waits.ready());
  doors.open();
  shutting.join();
  CHECK(value_of(std::move(waits)) == "waits");
  CHECK(report.workers_left == 1);
  CHECK(report.workers_killed == 0);
  CHECK(doors.has("left"));
}

// Fault end.grace (many calls)
TEST_CASE("a shutdown whose grace is over ends a worker whose coroutines wait") {
  const LeakCheck leaks;
  const Doors doors;
  CoroutinePool pool{{.workers = 1}};
  auto waits = pool.run(doors.call("waits"));
  doors.runner("waits");
  const ShutdownReport report = pool.shutdown(0ms);
  CHECK(report.workers_killed == 1);
  CHECK(error_of(std::move(waits)).code() == errc::shut_down);
}

// Fault reload.long-call (many calls)
TEST_CASE("a reload leaves coroutines that are under way their time") {
  const LeakCheck leaks;
  const Doors doors;
  CoroutinePool pool{{.workers = 1}};
  auto waits = pool.run(doors.call("waits"));
  const pid_t pid = doors.runner("waits");
  std::thread reloading([&] { pool.reload(); });
  REQUIRE(wait_until([&] { return value_of(pool.run(Meet{1})) != pid; }));
  doors.open();
  reloading.join();
  CHECK(value_of(std::move(waits)) == "waits");
}

// Fault value.slow-reader (many calls)
TEST_CASE("answers of coroutines that find no room wait for it, and requests come all the same") {
  const LeakCheck leaks;
  const unsigned threads = GENERATE(1u, 3u);
  CoroutinePool pool{
      {.workers = 1, .launch = told(threads), .queue_limit = 10'000, .bytes = all_in_ring}};
  constexpr std::size_t size = 200'000;
  std::vector<Future<std::pair<Bytes, std::string>>> calls;
  for (int i = 0; i < 200; ++i)
    calls.push_back(pool.run(CoBytes{Bytes(), std::string(size, char('a' + i % 26))}));
  for (int i = 0; i < 200; ++i)
    CHECK(value_of(std::move(calls[static_cast<std::size_t>(i)])).second ==
          std::string(size, char('a' + i % 26)));
}
