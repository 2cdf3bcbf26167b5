#include <sched.h>

#include <catch2/catch.hpp>

#include "platform/cpu.hpp"
#include "platform/random.hpp"
#include "support/in_child.hpp"

using namespace bulkhead::platform;

TEST_CASE("A thread that is kept on one core has one, and runs there") {
  CHECK(usable_cores() >= 1);
  const int status = bulkhead::test::in_child([] {
    cpu_set_t only;
    CPU_ZERO(&only);
    const unsigned core = current_core();
    CPU_SET(core, &only);
    bulkhead::test::expect(::sched_setaffinity(0, sizeof only, &only) == 0);
    bulkhead::test::expect(usable_cores() == 1);
    bulkhead::test::expect(current_core() == core);
  });
  CHECK(status == 0);
}

TEST_CASE("Random numbers differ") {
  const auto one = random_128(), other = random_128();
  CHECK(one != other);
  CHECK(one[0] != one[1]);
}
