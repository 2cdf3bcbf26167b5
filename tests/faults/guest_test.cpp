// The library is a guest in its application's process: what is the application's stays as it is.
#include <catch2/catch.hpp>

#include "faults/apps.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::test;

// Fault host.guest (one call): the app has signal handlers, a mask, a locale, a folder, limits,
// timers, an environment of its own.
// Then: none of it is changed, at any moment of a pool's life, and no signal but SIGCHLD comes.
TEST_CASE("an app finds all of its settings as they were, while it has workers and after") {
  const LeakCheck leaks;
  App app("keeps_settings", {}, no_leak_sanitizer);
  check_ends_well(app);
}

// Fault host.exit (one call): the app has functions that `exit` calls.
// Then: all run, and in order: the library has none among them but the destructors of static pools.
TEST_CASE("what an app registered for its exit runs, before and after its pool's end") {
  const LeakCheck leaks;
  App app("exits_in_order", {}, no_leak_sanitizer);
  check_ends_well(app);
}
