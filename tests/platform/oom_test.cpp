#include "platform/oom.hpp"

#include <catch2/catch.hpp>

using namespace bulkhead::platform;

TEST_CASE("kills for want of memory are read from what the kernel counts") {
  CHECK(oom_kills_in("low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n") == 4u);
  CHECK(oom_kills_in("oom_kill 12") == 12u);
  CHECK_FALSE(oom_kills_in("oom 3\noom_group_kill 5\n"));
  CHECK_FALSE(oom_kills_in("oom_kill many\n"));
  CHECK_FALSE(oom_kills_in(""));
  CHECK(oom_kills());
}
