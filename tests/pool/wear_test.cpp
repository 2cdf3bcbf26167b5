// When a worker has served for long enough.
#include "pool/wear.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Wear;
using namespace std::chrono_literals;

namespace {

const Wear::Time born{1h};

}  // namespace

TEST_CASE("A worker without limits is never worn") {
  Wear wear({}, born, 0.5);
  CHECK(wear.answers() == ~std::uint64_t{});
  CHECK_FALSE(wear.end());
  CHECK_FALSE(wear.is_worn_by_memory(1'000'000'000));
  CHECK_FALSE(Wear::Limits{}.any());
}

TEST_CASE("Calls and age wear a worker up to a tenth earlier than the limits say") {
  const Wear::Limits limits{.requests = 1000, .age = 1000s};
  CHECK(limits.any());
  const Wear latest(limits, born, 0), middle(limits, born, 0.5);
  CHECK(latest.answers() == 1000);
  CHECK(latest.end() == born + 1000s);
  CHECK(middle.answers() == 950);
  CHECK(middle.end() == born + 950s);
  CHECK(Wear({.requests = 1}, born, 0.99).answers() == 1);
}

TEST_CASE("An age beyond the clock's range is none") {
  CHECK_FALSE(Wear({.age = std::chrono::nanoseconds::max()}, born, 0).end());
}

TEST_CASE("Memory wears a worker that has more than it may, or has grown by more") {
  Wear large({.memory = 100}, born, 0);
  CHECK_FALSE(large.is_worn_by_memory(100));
  CHECK(large.is_worn_by_memory(101));

  Wear grown({.growth = 50}, born, 0);
  CHECK_FALSE(grown.is_worn_by_memory(1000));
  CHECK_FALSE(grown.is_worn_by_memory(900));
  CHECK_FALSE(grown.is_worn_by_memory(1050));
  CHECK(grown.is_worn_by_memory(1051));
}
