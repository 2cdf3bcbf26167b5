// How many workers a pool has.
#include "pool/size.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Size;
using namespace std::chrono_literals;

namespace {

Size::Time at(std::chrono::milliseconds when) { return Size::Time{} + when; }

Size elastic(std::size_t least, std::size_t most) {
  return Size({.at_first = least, .least = least, .most = most, .idle_timeout = 100ms});
}

}  // namespace

TEST_CASE("A pool of a fixed size neither grows nor shrinks") {
  Size size({.at_first = 3, .least = 3, .most = 3});
  CHECK(size.is_fixed());
  CHECK(size.grow(100, 0) == 0);
  size.saw(0, 0, false, at(0ms));
  CHECK_FALSE(size.shrink(at(1h)));
  CHECK(size.now() == 3);
}

TEST_CASE("A pool grows by those that wait and nobody comes for, and not beyond its most") {
  Size size = elastic(1, 8);
  CHECK_FALSE(size.is_fixed());
  CHECK(size.grow(0, 0) == 0);
  CHECK(size.grow(2, 0) == 2);
  CHECK(size.grow(2, 2) == 0);
  CHECK(size.grow(5, 2) == 3);
  CHECK(size.now() == 6);
  CHECK(size.grow(1000, 0) == 2);
  CHECK_FALSE(size.may_grow());
  CHECK(size.grow(1000, 0) == 0);
  CHECK(size.now() == 8);
}

TEST_CASE("A pool shrinks by whoever had nothing to do for longest, and not below its least") {
  Size size = elastic(1, 4);
  size.grow(3, 0);
  size.saw(0, 10, true, at(0ms));
  size.saw(1, 10, false, at(0ms));
  size.saw(2, 10, false, at(10ms));
  CHECK_FALSE(size.shrink(at(99ms)));
  CHECK(size.shrink(at(100ms)) == 1u);
  CHECK_FALSE(size.shrink(at(105ms)));
  size.saw(0, 10, false, at(106ms));
  CHECK(size.shrink(at(110ms)) == 2u);
  CHECK_FALSE(size.shrink(at(110ms)));
  CHECK(size.shrink(at(206ms)) == 0u);
  CHECK(size.now() == 1);
  size.saw(3, 0, false, at(110ms));
  CHECK_FALSE(size.shrink(at(1h)));
}

TEST_CASE("A worker that is busy does not leave, however short the timeout is") {
  Size size({.at_first = 1, .least = 0, .most = 1});
  size.saw(0, 0, true, at(0ms));
  CHECK_FALSE(size.shrink(at(0ms)));
  size.saw(0, 1, false, at(0ms));
  CHECK(size.shrink(at(0ms)) == 0u);
}

TEST_CASE("A worker that was busy, or has answered, between two looks is not idle") {
  Size size = elastic(0, 2);
  size.grow(1, 0);
  size.saw(0, 0, false, at(0ms));
  size.saw(0, 1, false, at(90ms));
  CHECK_FALSE(size.shrink(at(120ms)));
  size.saw(0, 1, true, at(180ms));
  CHECK_FALSE(size.shrink(at(270ms)));
  size.saw(0, 1, false, at(270ms));
  CHECK_FALSE(size.shrink(at(280ms)));
  CHECK(size.shrink(at(370ms)) == 0u);
}

TEST_CASE("A worker that has left and come back is seen anew") {
  Size size = elastic(0, 2);
  size.grow(2, 0);
  size.saw(0, 5, false, at(0ms));
  size.left(0);
  size.saw(0, 5, false, at(90ms));
  CHECK_FALSE(size.shrink(at(110ms)));
}
