// In which order calls leave the queue.
#include <catch2/catch.hpp>

#include "faults/calls.hpp"
#include "faults/under_fire.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

// Fault queue.priority (many calls): a call of a higher priority comes when many wait, in the queue
// and at workers.
// Then: it is begun before all of them; those of one priority are begun as they came.
TEST_CASE("calls of a higher priority are begun before all that wait") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Gate gate;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  auto running = pool.run(gate.call("one"));
  gate.runner("one");
  std::vector<Future<void>> calls;
  std::vector<std::string> expected;
  const auto add = [&](int priority, int i) {
    const std::string line = std::to_string(priority) + "." + std::to_string(i);
    calls.push_back(pool.run(Note{log, line}, {.priority = priority}));
    return line;
  };
  std::vector<std::string> low, usual, high;
  for (int i = 0; i < 300; ++i) usual.push_back(add(0, i));  // more than a worker is given ahead
  for (int i = 0; i < 3; ++i) {
    low.push_back(add(-1, i));
    high.push_back(add(7, i));
  }
  CHECK(pool.stats().queued == 306);
  for (const auto& lines : {high, usual, low})
    expected.insert(expected.end(), lines.begin(), lines.end());
  gate.open();
  for (auto& call : calls) value_of(std::move(call));
  value_of(std::move(running));
  CHECK(lines_of(log) == expected);
  CHECK(value_of(pool.run(Add{1, 1})) == 2);
}

// Fault queue.priority (many calls)
TEST_CASE("a call of a higher priority is begun by whichever worker is free first") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  const Gate first, second;
  const TempDir folder;
  const std::string log = folder / "log";
  TestPool pool = pool_of<TestService>(kind, {.workers = 2});
  auto blocked = pool.run(first.call("1"));
  auto freed = pool.run(second.call("2"));
  first.runner("1");
  second.runner("2");
  std::vector<Future<void>> low;
  for (int i = 0; i < 100; ++i) low.push_back(pool.run(Note{log, "low"}));
  auto high = pool.run(Note{log, "high"}, {.priority = 1});
  second.open();
  value_of(std::move(high));
  CHECK(lines_of(log).front() == "high");
  for (auto& call : low) value_of(std::move(call));
  first.open();
  value_of(std::move(blocked));
  value_of(std::move(freed));
}

// Fault queue.priority (many calls)
TEST_CASE("calls of many priorities from many threads are all answered, crashes included") {
  const LeakCheck leaks;
  TestPool pool{{.workers = 2, .queue_limit = 100'000}};
  const auto priority_of = [](int i) { return RunOptions{.priority = i % 5}; };
  CHECK(answers_under_fire(pool, priority_of, priority_of, [] {}) == calls_under_fire);
  CHECK(wait_until([&] { return pool.stats().crashes == 12; }));
}
