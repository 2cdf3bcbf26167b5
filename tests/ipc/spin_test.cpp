#include <catch2/catch.hpp>
#include <chrono>

#include "ipc/spin.hpp"

namespace {

using namespace std::chrono_literals;
using bulkhead::ipc::SpinPolicy;
using Time = SpinPolicy::Time;

SpinPolicy after(int times, Time took) {
  SpinPolicy policy;
  for (int i = 0; i < times; ++i) {
    policy.budget(false);
    policy.waited(took);
  }
  return policy;
}

}  // namespace

TEST_CASE("How long a wait spins follows from how long the waits before took") {
  struct Row {
    const char* what;
    int times;
    Time took, budget;
  };
  const auto row = GENERATE(values<Row>({
      {"a new connection is trusted", 0, 0us, 50us},
      {"answers at once: the shortest", 100, 0us, 5us},
      {"fast answers: a small multiple", 200, 2us, 8us},
      {"the multiple ends at the limit", 200, 20us, 50us},
      {"just within the limit", 200, 49us, 50us},
      {"beyond it: not at all", 200, 60us, 0us},
      {"woken from sleep all the time", 200, 80us, 0us},
      {"idle for hours", 200, std::chrono::hours(1), 0us},
      {"one slow answer is forgiven", 1, std::chrono::hours(1), 50us},
  }));
  CAPTURE(row.what);
  SpinPolicy policy = after(row.times, row.took);
  if (row.budget == 0us && policy.budget(false) == SpinPolicy::longest)
    policy.waited(row.took);  // that was a probe
  const Time budget = policy.budget(false);
  CHECK(budget <= row.budget + row.budget / 8);
  CHECK(budget >= row.budget - row.budget / 8);
}

TEST_CASE("Nobody spins for a peer on its own core, or without leave") {
  for (const Time took : {Time(0us), Time(10us), Time(100us)}) {
    SpinPolicy policy = after(50, took);
    for (int i = 0; i < 20; ++i) {
      CHECK(policy.budget(true) == 0us);
      CHECK(policy.budget(false, 0ns) == 0us);
    }
    CHECK(policy.budget(false, 3us) <= 3us);
  }
}

TEST_CASE("Slow waits are probed every eighth time") {
  SpinPolicy policy = after(100, 200us);
  int probes = 0;
  for (int i = 0; i < 80; ++i) {
    const Time budget = policy.budget(false);
    CHECK((budget == 0us || budget == SpinPolicy::longest));
    probes += budget != 0us;
    policy.waited(200us);
  }
  CHECK(probes == 10);
}

TEST_CASE("Answers that became fast again are found out by a probe, and believed at once") {
  SpinPolicy policy = after(100, 200us);
  for (int i = 0; i < 8; ++i) {
    if (policy.budget(false) == 0us)
      policy.waited(80us);  // fast, but it had to be woken
    else
      policy.waited(2us);
  }
  CHECK(policy.budget(false) > 0us);
}

TEST_CASE("A few fast waits outweigh one idle hour") {
  SpinPolicy policy = after(100, 200us);
  for (int i = 0; i < 6; ++i) policy.waited(1us);
  CHECK(policy.budget(false) > 0us);
}
