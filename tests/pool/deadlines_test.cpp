#include "pool/deadlines.hpp"

#include <catch2/catch.hpp>
#include <memory>

using namespace bulkhead::pool;
using namespace std::chrono_literals;

namespace {

struct Item {
  int number;
  std::shared_ptr<bool> is_over = std::make_shared<bool>(false);
  bool over() const { return *is_over; }
};

using Items = Deadlines<Item>;

Items::Time at(std::chrono::milliseconds when) { return Items::Time{} + when; }

std::vector<int> numbers(const std::vector<Item>& items) {
  std::vector<int> all;
  for (const Item& item : items) all.push_back(item.number);
  return all;
}

}  // namespace

TEST_CASE("What is due comes in the order of its time") {
  Items deadlines;
  CHECK_FALSE(deadlines.next());
  CHECK(deadlines.add(at(30ms), {3}));
  CHECK(deadlines.add(at(10ms), {1}));
  CHECK_FALSE(deadlines.add(at(20ms), {2}));
  CHECK(deadlines.next() == at(10ms));
  CHECK(numbers(deadlines.take_due(at(9ms))).empty());
  CHECK(numbers(deadlines.take_due(at(20ms))) == std::vector{1, 2});
  CHECK(deadlines.next() == at(30ms));
  CHECK(numbers(deadlines.take_due(at(1h))) == std::vector{3});
  CHECK_FALSE(deadlines.next());
}

TEST_CASE("What is over is never due, and nobody waits for it") {
  Items deadlines;
  Item over{1};
  deadlines.add(at(10ms), over);
  deadlines.add(at(20ms), {2});
  *over.is_over = true;
  CHECK(deadlines.next() == at(20ms));
  CHECK(numbers(deadlines.take_due(at(1h))) == std::vector{2});
}

TEST_CASE("A million that are soon over take little memory") {
  Items deadlines;
  for (int i = 0; i < 1'000'000; ++i) {
    Item item{i};
    deadlines.add(at(1h), item);
    *item.is_over = true;
    REQUIRE(deadlines.size() < 1000);
  }
}
