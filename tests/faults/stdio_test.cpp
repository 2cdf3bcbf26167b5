// Standard descriptors that an application does not have, or that nobody reads, and workers that
// write more than anybody can read.
#include <catch2/catch.hpp>
#include <sstream>

#include "faults/apps.hpp"
#include "faults/calls.hpp"
#include "platform/unsanitized.hpp"
#include "support/leak_check.hpp"

using namespace bulkhead::test;

// Fault host.no-stdio (one call): the app was started without descriptors 0, 1 or 2.
// Then: its workers have them; what the app opens at these numbers is never written to.
TEST_CASE("an app that was started without standard descriptors has workers that have them") {
  for (const char* closed : {"0", "1", "2", "01", "02", "12", "012"}) {
    const LeakCheck leaks;
    INFO(closed);
    App app("closes_stdio", {closed});
    check_ends_well(app);
    CHECK(app.written().find("terminate") == std::string::npos);
  }
}

// Fault value.flood (one call): a worker floods its output, and nobody reads the app's own.
// Then: others answer; lines are dropped, but the last 64 KiB are in the report of a crash.
TEST_CASE("a worker that floods its output disturbs nobody") {
  if (BULKHEAD_SANITIZED) return;  // what it looks at is memory, of which they keep more
  struct Flooded {
    const char *where, *line_end;
  };
  for (const Flooded& each : {Flooded{"null", "\n"}, Flooded{"full pipe", ""},
                              Flooded{"broken pipe", "\n"}, Flooded{"terminal", "\n"}}) {
    const LeakCheck leaks;
    INFO(each.where);
    App app("flooded", {each.where, each.line_end});
    check_ends_well(app);
  }
}

#ifdef BULKHEAD_FAULT_POINTS

// Fault value.output (one call)
TEST_CASE("an app whose own output takes a few bytes at a time writes whole lines of its workers") {
  const LeakCheck leaks;
  App app("talkative", {}, {{"BULKHEAD_FAULT", "stdio.write:*:short=3"}});
  CHECK(app.ending().status == 0);
  std::istringstream written(app.written());
  std::size_t lines = 0;
  for (std::string line; std::getline(written, line); ++lines) {
    INFO(line);
    CHECK((line == "to standard output" || line == "to standard error"));
  }
  CHECK(lines == 400);
}

#endif
