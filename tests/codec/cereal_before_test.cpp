// clang-format off
// cereal's own support for every standard type, included before ours: the frames are the same.
#include <cereal/types/array.hpp>
#include <cereal/types/atomic.hpp>
#include <cereal/types/base_class.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include "codec/round_trip.hpp"
// clang-format on

#include <catch2/catch.hpp>

namespace {

struct Everything {
  std::string text = "text";
  std::vector<std::string> strings = {"a", "b"};
  std::vector<bool> bools = {true, false};
  std::deque<int> deque = {1, 2};
  std::list<int> list = {3};
  std::map<int, std::string> map = {{1, "x"}};
  std::unordered_set<int> set = {7};
  std::optional<int> optional = 5;
  std::variant<std::monostate, int> variant = 6;
  std::tuple<int, bool> tuple = {1, true};
  std::bitset<9> bits = 0x155;
  std::complex<double> complex = {1, 2};
  std::chrono::seconds seconds{9};
  std::array<int, 2> array = {1, 2};
  std::pair<int, int> pair = {3, 4};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text, strings, bools, deque, list, map, set, optional, variant, tuple, bits, complex,
       seconds, array, pair);
  }
  bool operator==(const Everything&) const = default;
};

struct Adapted {
  std::queue<int> queue = {};
  std::stack<std::string> stack = {};
  std::priority_queue<int> heap = {};
  std::atomic<int> number = 3;
  std::valarray<double> numbers = {1, 2, 3};
  std::unique_ptr<int> pointer = std::make_unique<int>(4);
  template <class Archive>
  void serialize(Archive& ar) {
    ar(queue, stack, heap, number, numbers, pointer);
  }
};

}  // namespace

TEST_CASE("cereal's headers before ours change nothing") {
  CHECK(round_trip(Everything{}) == Everything{});
  CHECK(encoded(std::vector<bool>(3)).size() == 8 + 3);
  auto forged = encoded(std::uint64_t{1} << 40);
  CHECK_THROWS_AS(bulkhead::detail::decode<std::vector<int>>(forged), bulkhead::detail::Refused);
}

TEST_CASE("types that only cereal knows travel with its headers before ours") {
  Adapted value;
  value.queue.push(1);
  value.stack.push("s");
  value.heap.push(2);
  Adapted back;
  bulkhead::detail::decode(encoded(value), back);
  CHECK(back.queue == value.queue);
  CHECK(back.stack == value.stack);
  CHECK(back.heap.top() == 2);
  CHECK(back.number == 3);
  CHECK(back.numbers[2] == 3);
  CHECK(*back.pointer == 4);
}
