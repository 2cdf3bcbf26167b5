// Descriptors or shared memory run out, at each moment when some are needed.
#include <catch2/catch.hpp>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::test;

// Fault start.descriptors (idle)
TEST_CASE("a pool starts with too few descriptors: it does, or says so, and keeps none") {
  const LeakCheck leaks;
  App app("few_for_a_start");
  check_ends_well(app);
}

// Fault start.descriptors (one call)
TEST_CASE("a worker is to be replaced with too few descriptors: it is later, and others live on") {
  const LeakCheck leaks;
  App app("few_for_a_restart");
  check_ends_well(app);
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault start.descriptors (idle)
TEST_CASE("a worker for which the app has no descriptor left is ended, and replaced later") {
  const LeakCheck leaks;
  App app("none_for_a_pidfd", {}, {{"BULKHEAD_FAULT", "fork_server.before_fork:3:stop"}});
  check_ends_well(app);
}

#endif

// Fault start.memory (many calls)
TEST_CASE("64 workers fit into the shared memory that a container has") {
  const LeakCheck leaks;
  App app("small_memory");
  check_ends_well(app);
}

// Fault host.container (many calls): the app lives in a container: 64 MiB of `/dev/shm`, no cgroup.
// Then: many workers, large values, crashes, and ends of what workers have started are as anywhere;
// where the memory is used up a start is an error, and the workers that there are go on.
TEST_CASE("an app in a container with little shared memory and no cgroup has many workers") {
  const LeakCheck leaks;
  App app("container");
  check_ends_well(app);
}

// Fault start.memory (idle)
TEST_CASE("a pool without shared memory says what is wrong") {
  for (const char* how : {"full", "read-only", "absent"}) {
    const LeakCheck leaks;
    INFO(how);
    App app("no_memory", {how});
    check_ends_well(app);
  }
}

// Fault start.memory (idle)
TEST_CASE("shared memory fills up while a pool runs: what it has goes on, and it is whole again") {
  const LeakCheck leaks;
  App app("filling_memory");
  check_ends_well(app);
}
