// The answers to a range of requests.
#include <catch2/catch.hpp>
#include <cstddef>
#include <iterator>

#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

std::vector<Add> sums(int count) {
  std::vector<Add> requests;
  for (int i = 0; i < count; ++i) requests.push_back({i, 1});
  return requests;
}

// A range without an end, which knows how far it was read.
struct Counted {
  struct iterator {
    using difference_type = std::ptrdiff_t;
    using value_type = Add;
    Add operator*() const { return {*asked, 1}; }
    iterator& operator++() {
      ++*asked;
      return *this;
    }
    void operator++(int) { ++*asked; }
    bool operator==(std::default_sentinel_t) const { return false; }
    int* asked = nullptr;
  };
  iterator begin() { return {&asked}; }
  std::default_sentinel_t end() const { return {}; }
  int asked = 0;
};

}  // namespace

TEST_CASE("a range of requests becomes a range of responses, in order") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 3, .queue_limit = 100});
  int expected = 1;
  for (const int sum : pool.map(sums(5000))) REQUIRE(sum == expected++);
  CHECK(expected == 5001);
  std::vector<Echo> words{{"one"}, {"two"}};
  std::string all;
  for (std::string& word : pool.map(words, {.ahead = 1})) all += std::move(word);
  CHECK(all == "onetwo");
  for (const int sum : pool.map(sums(0))) FAIL("there is none: " << sum);
}

// Fault map.ahead (many calls): whoever reads the range is slower than the workers, or stops.
// Then: no more calls are made than may be ahead, and what is open is called off.
TEST_CASE("a range calls no further ahead than it may, and stops when nobody reads on") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  Counted counted;
  TestPool pool = pool_of<TestService>(kind, {.workers = 1});
  for (const int sum : pool.map(counted, {.ahead = 10})) {
    if (sum < 20) continue;
    CHECK(counted.asked <= sum + 10);
    break;
  }
  CHECK(counted.asked <= 30);
  const Gate gate;
  {
    std::vector<Block> blocks{gate.call("0"), gate.call("1"), gate.call("2")};
    auto range = pool.map_futures(blocks);
    std::thread opener([&] {
      gate.runner("0");
      gate.open();
    });
    for (auto& future : range) {
      CHECK(value_of(std::move(future)) > 0);
      break;
    }
    opener.join();
  }
  CHECK(wait_until([&] { return pool.stats().queued == 0 && pool.stats().in_flight == 0; }));
}

// Fault map.error (many calls): one of the calls fails.
// Then: its error comes in its place; the range ends there, or, of futures, goes on.
TEST_CASE("the first error ends a range, unless it is one of futures") {
  const LeakCheck leaks;
  const auto kind = GENERATE(Kind::processes, Kind::threads);
  TestPool pool = pool_of<TestService>(kind, {.workers = 2});
  std::vector<Throw> requests(3);
  int told = 0;
  for (auto& future : pool.map_futures(requests)) {
    CHECK(future.ready());
    CHECK(error_of(std::move(future)).code() == errc::handler_failed);
    ++told;
  }
  CHECK(told == 3);

  std::vector<Echo> echoes{{"good"}, {std::string(3 << 20, 'x')}, {"never"}};
  TestPool small = pool_of<TestService>(kind, {.workers = 1, .max_message = 1 << 20});
  std::vector<std::string> seen;
  try {
    for (auto& text : small.map(echoes)) seen.push_back(text);
    FAIL("it did not throw");
  } catch (const Error& error) {
    CHECK(error.code() == errc::message_too_large);
  }
  CHECK(seen == std::vector<std::string>{"good"});
}
