// Crashes of workers that serve on several threads.
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "faults/threads.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// Calls that run until they are let go, may be tried again, and note when they run.
class Lingerers {
 public:
  Linger call(const std::string& name) const { return {name, folder_ / "log", folder_ / "go"}; }
  void let_go() const { std::ofstream(folder_ / "go"); }
  std::vector<std::string> log() const {
    std::ifstream file(folder_ / "log");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  // The process that has begun first.
  pid_t runner() const {
    const std::string line = log().at(0);
    return std::stoi(line.substr(line.rfind(' ')));
  }
  bool begun(std::size_t count) const {
    return wait_until([&] { return log().size() >= count; });
  }

 private:
  TempDir folder_;
};

bool has_crashed(const TestPool& pool) {
  return wait_until([&] { return pool.stats().crashes == 1; });
}

}  // namespace

// Fault crash.beside (many calls): a worker that serves on several threads dies while it runs
// several calls.
// Then: the calls that are not `idempotent` fail, each by its name; the others are tried again one
// at a time, and only one that then crashes alone is charged.
TEST_CASE("a crash fails the calls beside it, each by its name, and none that had not begun") {
  const LeakCheck leaks;
  const Gate gate;
  const std::size_t workers = GENERATE(1u, 2u);
  TestPool pool{{.workers = workers, .launch = on_threads(2)}};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 2 * workers; ++i) names.push_back(std::to_string(i));
  auto running = run_all(pool, gate, names);
  const pid_t pid = gate.runner("0");
  std::vector<Future<std::string>> waiting;
  for (int i = 0; i < 300; ++i) waiting.push_back(pool.run(Echo{std::to_string(i)}));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < 2 * workers; ++i) {
    if (gate.runner(names[i]) != pid) continue;
    const Error error = error_of(std::move(running[i]));
    INFO(error.what());
    CHECK(error.code() == errc::worker_crashed);
    CHECK(mentions(error, "died of SIGKILL while it ran Block (call "));
    CHECK(mentions(error, "attempt 1), and 1 more beside it"));
    REQUIRE(error.crash());
    REQUIRE(error.crash()->running.size() == 2);
    CHECK(error.crash()->running[0].id != error.crash()->running[1].id);
    sentences.insert(error.what());
  }
  CHECK(sentences.size() == 2);
  for (int i = 0; i < 300; ++i)
    CHECK(value_of(std::move(waiting[static_cast<std::size_t>(i)])) == std::to_string(i));
  CHECK(pool.stats().failed == 2);
  CHECK(pool.stats().crashes == 1);
  gate.open();
}

// Fault crash.beside (many calls)
// Fault crash.poison (many calls)
TEST_CASE("a request that takes its worker down fails no idempotent one beside it") {
  const LeakCheck leaks;
  const TempDir folder;
  const Lingerers lingerers;
  const std::size_t workers = GENERATE(1u, 2u);
  const unsigned max_attempts = GENERATE(1u, 3u);
  TestPool pool{{.workers = workers, .launch = on_threads(4), .max_attempts = max_attempts}};
  std::vector<Future<pid_t>> calls;
  const std::size_t count = 3 * workers;
  for (std::size_t i = 0; i < count; ++i)
    calls.push_back(pool.run(lingerers.call(std::to_string(i))));
  REQUIRE(lingerers.begun(count));
  auto poison = pool.run(Poison{folder / "log"});
  REQUIRE(has_crashed(pool));

  // The first of the four that ran there runs again, and nothing beside it.
  REQUIRE(lingerers.begun(count + 1));
  CHECK(pool.stats().in_flight == count - 3 + 1);
  CHECK(pool.stats().queued == 3);
  auto later = pool.run(Add{1, 2});
  CHECK(pool.stats().queued == 4);
  lingerers.let_go();
  for (auto& call : calls) CHECK(value_of(std::move(call)) > 0);
  CHECK(value_of(std::move(later)) == 3);

  const Error error = error_of(std::move(poison));
  INFO(error.what());
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "attempt " + std::to_string(max_attempts + 1)));
  REQUIRE(error.crash());
  REQUIRE(error.crash()->running.size() == 1);
  CHECK(error.crash()->running[0].request == "Poison");
  CHECK(pids_in(folder / "log").size() == max_attempts + 1);
  CHECK(pool.stats().failed == 1);
  CHECK(pool.stats().crashes == max_attempts + 1);
}

// Fault crash.beside (many calls)
TEST_CASE("requests that ran beside a crash run one after the other, each alone") {
  const LeakCheck leaks;
  const Lingerers lingerers;
  TestPool pool{{.workers = 1, .launch = on_threads(4)}};
  std::vector<Future<pid_t>> calls;
  for (const char* name : {"1", "2", "3", "4"}) calls.push_back(pool.run(lingerers.call(name)));
  REQUIRE(lingerers.begun(4));
  std::vector<Future<int>> others;
  for (int i = 0; i < 100; ++i) others.push_back(pool.run(Add{i, 1}));
  REQUIRE(::kill(lingerers.runner(), SIGKILL) == 0);
  REQUIRE(lingerers.begun(5));
  lingerers.let_go();
  for (auto& call : calls) CHECK(value_of(std::move(call)) > 0);
  for (int i = 0; i < 100; ++i)
    CHECK(value_of(std::move(others[static_cast<std::size_t>(i)])) == i + 1);
  const auto log = lingerers.log();
  REQUIRE(log.size() == 12);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i + 1);
    CHECK(log[4 + 2 * i].starts_with(name + " begins"));
    CHECK(log[5 + 2 * i].starts_with(name + " ends"));
  }
  CHECK(pool.stats().failed == 0);
}

// Fault crash.beside (many calls)
TEST_CASE("of calls beside a crash the idempotent ones are answered, the others fail") {
  const LeakCheck leaks;
  const Gate gate;
  const Lingerers lingerers;
  TestPool pool{{.workers = 1, .launch = on_threads(4)}};
  auto running = run_all(pool, gate, {"1", "2"});
  auto lingering = pool.run(lingerers.call("linger"));
  REQUIRE(lingerers.begun(1));
  lingerers.let_go();
  const Error error = error_of(pool.run(Die{Death::segmentation_fault}));
  CHECK(error.code() == errc::worker_crashed);
  CHECK(mentions(error, "died of SIGSEGV while it ran Die (call "));
  for (auto& call : running) {
    const Error beside = error_of(std::move(call));
    CHECK(beside.code() == errc::worker_crashed);
    CHECK(mentions(beside, "while it ran Block (call "));
  }
  CHECK(value_of(std::move(lingering)) > 0);
  CHECK(pool.stats().crashes == 1);
}

// Fault crash.beside (many calls)
// Fault crash.poison (many calls)
TEST_CASE("a crowd of requests, some of which kill their workers, is sorted out") {
  const LeakCheck leaks;
  const TempDir folder;
  TestPool pool{{.workers = 2, .launch = on_threads(3), .max_attempts = 2}};
  std::vector<Future<int>> good;
  std::vector<Future<void>> bad;
  for (int i = 0; i < 600; ++i) {
    good.push_back(pool.run(Add{i, 1}));
    if (i % 100 == 50) bad.push_back(pool.run(Poison{folder / std::to_string(i)}));
  }
  for (int i = 0; i < 600; ++i)
    CHECK(value_of(std::move(good[static_cast<std::size_t>(i)])) == i + 1);
  for (auto& call : bad) {
    const Error error = error_of(std::move(call));
    CHECK(error.code() == errc::worker_crashed);
    REQUIRE(error.crash());
    CHECK(error.crash()->running.size() == 1);
  }
  CHECK(pool.stats().failed == 6);
  CHECK(pool.stats().queued == 0);
}

// Fault crash.thread-ends (one call): a handler ends its thread, as by `pthread_exit`.
// Then: that ends its worker, as the call would never be answered.
TEST_CASE("a handler that ends its thread ends its worker") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 1, .launch = on_threads(3)}};
  for (int i = 0; i < 6; ++i) {
    const Error error = error_of(pool.run(Die{Death::end_of_thread}));
    CHECK(error.code() == errc::worker_crashed);
    CHECK(mentions(error, "exited with code 1"));
  }
  CHECK(value_of(pool.run(Add{1, 2})) == 3);
}

// Fault crash.beside (many calls)
// Fault crash.lone (many calls)
TEST_CASE("a lone worker's crash fails all that it ran, each by its name") {
  const LeakCheck leaks;
  const Gate gate;
  const Lingerers lingerers;
  auto worker = TestWorker::start({.launch = on_threads(2)});
  auto first = worker.run(gate.call("1"));
  gate.runner("1");
  auto second = worker.run(lingerers.call("2"));
  REQUIRE(lingerers.begun(1));
  auto waiting = worker.run(Add{1, 2});
  REQUIRE(::kill(worker.pid(), SIGKILL) == 0);
  const Error one = error_of(std::move(first)), other = error_of(std::move(second));
  CHECK(one.code() == errc::worker_crashed);
  CHECK(mentions(one, "while it ran Block (call 1, "));
  CHECK(other.code() == errc::worker_crashed);
  CHECK(mentions(other, "while it ran Linger (call 2, "));
  CHECK(mentions(other, "attempt 1)"));
  CHECK(error_of(std::move(waiting)).code() == errc::worker_crashed);
  REQUIRE(worker.crash());
  CHECK(worker.crash()->running.size() == 2);
}
