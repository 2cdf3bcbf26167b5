// Where the calls of a key go, and which keys are forgotten.
#include "pool/keys.hpp"

#include <catch2/catch.hpp>

using bulkhead::pool::Keys;

TEST_CASE("A key stays with its worker until that leaves") {
  Keys keys(2);
  const auto key = keys.find("a");
  CHECK(keys.find("a") == key);
  CHECK_FALSE(keys.home(*key));
  keys.settle(*key, 1);
  keys.left(0);
  CHECK(keys.home(*key) == 1);
  keys.left(1);
  CHECK_FALSE(keys.home(*key));
  keys.settle(*key, 1);  // the next one there
  CHECK(keys.home(*key) == 1);
}

TEST_CASE("The key that was not used for longest is forgotten first") {
  Keys keys(1, 3);
  for (const char* name : {"a", "b", "c"}) keys.settle(*keys.find(name), 0);
  keys.find("a");
  keys.find("d");
  CHECK(keys.size() == 3);
  CHECK(keys.home(*keys.find("a")) == 0);
  CHECK(keys.home(*keys.find("c")) == 0);
  CHECK_FALSE(keys.home(*keys.find("b")));
}

TEST_CASE("Keys that calls hold are not forgotten, and the table shrinks when they let go") {
  Keys keys(1, 4);
  std::vector<std::shared_ptr<bulkhead::detail::Key>> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(keys.find(std::to_string(i)));
    keys.settle(*held.back(), 0);
  }
  CHECK(keys.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(keys.home(*keys.find(std::to_string(i))) == 0);
  held.clear();
  for (int i = 0; i < 100; ++i) keys.find("new " + std::to_string(i));
  CHECK(keys.size() <= 4);
}
