// What a pool that nobody calls takes.
#include <catch2/catch.hpp>
#include <sstream>

#include "faults/reloads.hpp"
#include "platform/fd.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead;
using namespace bulkhead::test;

namespace {

// KiB that this process shares with nobody; empty where we may not look.
std::optional<long> private_memory(pid_t pid) {
  std::istringstream rollup(platform::read_file("/proc/" + std::to_string(pid) + "/smaps_rollup"));
  std::optional<long> sum;
  for (std::string line; std::getline(rollup, line);) {
    std::istringstream words(line);
    std::string name;
    long amount = 0;
    if (words >> name >> amount && (name == "Private_Clean:" || name == "Private_Dirty:"))
      sum = sum.value_or(0) + amount;
  }
  return sum;
}

}  // namespace

// Fault start.idle-memory (idle): workers and spares have nothing to do, and `preload` has loaded
// much.
// Then: each has half a megabyte of its own at most; what was loaded is there once.
TEST_CASE("an idle worker shares all but half a megabyte") {
  if (BULKHEAD_SANITIZED) return;  // what a sanitizer notes is each process's own
  const LeakCheck leaks;
  TestPool pool{
      {.workers = 2, .launch = Launch::self().env("TEST_PRELOAD", "load=64"), .spares = 1}};
  for (int i = 0; i < 10; ++i) CHECK(value_of(pool.run(Add{i, 1})) == i + 1);
  const auto processes = platform::children_of(fork_server_of(pool));
  CHECK(processes.size() == 3);
  for (const pid_t pid : processes) {
    const auto kib = private_memory(pid);
    if (!kib) WARN("this user may not look into workers' memory");
    CHECK(kib.value_or(0) <= 512);
  }
}
