// Many pools one after the other: what an application that runs for months would notice.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>
#include <optional>

#include "faults/calls.hpp"
#include "faults/event_log.hpp"
#include "platform/fd.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;
using namespace std::chrono_literals;

namespace {

struct Usage {
  std::ptrdiff_t descriptors, threads;
  long resident_pages, mappings;
};

std::ptrdiff_t entries(const std::string& directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

Usage usage() {
  const std::string memory = platform::read_file("/proc/self/statm");
  const std::string maps = platform::read_file("/proc/self/maps");
  return {.descriptors = entries("/proc/self/fd"),
          .threads = entries("/proc/self/task"),
          .resident_pages = std::stol(memory.substr(memory.find(' '))),
          .mappings = std::count(maps.begin(), maps.end(), '\n')};
}

// Every second one with a spare, which every fourth needs.
void start_and_stop(int pools) {
  for (int i = 0; i < pools; ++i) {
    const std::size_t spares = i % 2 == 0 ? 0 : 1;
    TestPool pool{{.workers = 1, .spares = spares}};
    if (i % 4 == 1) REQUIRE(error_of(pool.run(Die{})).code() == errc::worker_crashed);
    REQUIRE(value_of(pool.run(Add{i, 1})) == i + 1);
    if (i % 3 == 0) REQUIRE(pool.shutdown().workers_left >= 1);
  }
}

}  // namespace

// Fault end.many-pools (one call): a thousand pools come and go.
// Then: nothing grows: no memory, mapping, descriptor or thread.
TEST_CASE("a thousand pools, one after the other, leave nothing behind") {
  const LeakCheck leaks;
  start_and_stop(50);  // what is made once and kept has been made
  const Usage before = usage();
  start_and_stop(BULKHEAD_SANITIZED ? 250 : 950);  // each takes long under a sanitizer
  const Usage after = usage();
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.threads == before.threads);
  if (BULKHEAD_SANITIZED) return;  // sanitizers keep what was freed
  CHECK(after.mappings - before.mappings < 20);
  // A single segment that stays mapped for each would be 120 000.
  CHECK(after.resident_pages - before.resident_pages < 500);
}

// Fault end.many-pools (one call)
TEST_CASE("two pools that take turns share one thread, which ends with the last") {
  const LeakCheck leaks;
  const auto threads = entries("/proc/self/task");
  std::optional<TestPool> first, second;
  for (int i = 0; i < 20; ++i) {
    auto& next = i % 2 == 0 ? first : second;
    next.reset();
    next.emplace(PoolOptions{.workers = 1});
    CHECK(value_of(next->run(Add{1, 2})) == 3);
    CHECK(entries("/proc/self/task") == threads + 1);
  }
}

// Fault value.starved (many calls): there are far more workers than cores, and all of them compute.
// Then: nobody is taken for dead, or past a time that it has not reached; each worker has its
// share.
TEST_CASE("workers that starve for a core are not taken for dead, nor their calls for late") {
  const LeakCheck leaks;
  constexpr std::size_t workers = 64;
  EventLog log;
  TestPool pool{
      {.workers = workers, .heartbeat = 5s, .kill_suspects = true, .on_event = log.callback()}};
  std::vector<Future<void>> calls;
  for (std::size_t i = 0; i < 4 * workers; ++i)
    calls.push_back(
        pool.run(Compute{.milliseconds = 10}, {.timeout = 10min, .run_timeout = 10min}));
  for (auto& call : calls) value_of(std::move(call));
  const PoolStats stats = pool.stats();
  CHECK(stats.completed == calls.size());
  CHECK(stats.crashes == 0);
  for (const WorkerStats& worker : stats.each) CHECK(worker.completed > 0);
  pool.shutdown();
  CHECK(log.count(EventKind::suspect) == 0);
}
