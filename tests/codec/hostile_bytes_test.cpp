#include <catch2/catch.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "codec/round_trip.hpp"

namespace {

using bulkhead::detail::Buffer;
using bulkhead::detail::decode;
using bulkhead::detail::Refused;

enum class Colour : int { red = 1, green, blue };

struct Empty {};

struct Node {
  std::unique_ptr<Node> next;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(next);
  }
};

struct Tree {
  std::vector<Tree> children;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(children);
  }
};

struct Throwing {
  Throwing() = default;
  explicit Throwing(int) { throw 1; }
  std::string text;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};

struct Record {
  std::string name = "a name of some length";
  std::vector<int> numbers = {1, 2, 3};
  std::map<int, std::optional<std::string>> notes = {{1, "x"}, {2, std::nullopt}};
  std::variant<int, std::string> either = "text";
  template <class Archive>
  void serialize(Archive& ar) {
    ar(name, numbers, notes, either);
  }
};

Node chain(int length) {
  Node first;
  for (; length > 1; --length) {
    Node outer;
    outer.next = std::make_unique<Node>(std::move(first));
    first = std::move(outer);
  }
  return first;
}

// As many trees within one another as `depth`, in bytes.
Buffer nested_tree_bytes(int depth) {
  Buffer bytes;
  for (int i = 1; i < depth; ++i) bulkhead::detail::encode(bytes, std::uint64_t{1});
  bulkhead::detail::encode(bytes, std::uint64_t{0});
  return bytes;
}

template <class T>
void refuses_each_declared_size() {
  INFO(bulkhead::detail::full_type_name<T>());
  for (const std::uint64_t size : {std::uint64_t{5}, std::uint64_t{1} << 31, std::uint64_t{1} << 40,
                                   ~std::uint64_t{0} / 8 + 1, ~std::uint64_t{0}}) {
    auto bytes = encoded(size);
    bytes.resize(bytes.size() + 4, std::byte{0});
    CHECK_THROWS_AS(decode<T>(bytes), Refused);
  }
}

}  // namespace

template <>
struct bulkhead::EnumRange<Colour> {
  static constexpr Colour min = Colour::red, max = Colour::blue;
};

// Fault hostile.values
TEST_CASE("a declared size that the frame cannot hold is refused") {
  refuses_each_declared_size<std::string>();
  refuses_each_declared_size<std::u32string>();
  refuses_each_declared_size<std::vector<char>>();
  refuses_each_declared_size<std::vector<double>>();
  refuses_each_declared_size<std::vector<bool>>();
  refuses_each_declared_size<std::vector<std::string>>();
  refuses_each_declared_size<std::vector<Empty>>();
  refuses_each_declared_size<std::vector<std::vector<int>>>();
  refuses_each_declared_size<std::list<char>>();
  refuses_each_declared_size<std::map<char, char>>();
  refuses_each_declared_size<std::unordered_map<int, Empty>>();
}

TEST_CASE("a refusal says what was refused") {
  auto bytes = encoded(std::uint64_t{1} << 40);
  bytes.resize(20);
  CHECK_THROWS_WITH(decode<std::vector<int>>(bytes),
                    "a vector declares 1099511627776 elements of at least 4 bytes, 12 are left");
  CHECK_THROWS_WITH(decode<bool>(encoded('\2')), "a bool reads 2");
  CHECK_THROWS_WITH(decode<int>(encoded('x')), "a value needs 4 bytes, 1 are left");
  CHECK_THROWS_WITH(decode<char>(encoded(7)), "3 bytes follow the value");
  CHECK_THROWS_WITH((decode<std::variant<int, char>>(encoded(std::uint16_t{2}))),
                    "a variant of 2 has the index 2");
  CHECK_THROWS_WITH(decode<Colour>(encoded(4)), "an enum, Colour, is 4");
}

// Fault hostile.values
TEST_CASE("a frame that ends anywhere too soon, or too late, is refused") {
  auto bytes = encoded(Record{});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(decode<Record>(std::span(bytes).first(size)), Refused);
  bytes.push_back(std::byte{0});
  CHECK_THROWS_AS(decode<Record>(bytes), Refused);
}

// Fault hostile.values
TEST_CASE("an enum with a range is checked both ways") {
  CHECK(round_trip(Colour::blue) == Colour::blue);
  CHECK_THROWS_AS(decode<Colour>(encoded(0)), Refused);
  CHECK_THROWS_AS(decode<std::vector<Colour>>(encoded(std::vector{1, 2, 9})), Refused);
  CHECK_THROWS_AS(encoded(static_cast<Colour>(9)), Refused);
}

// Fault hostile.values
TEST_CASE("a variant without a value is refused") {
  std::variant<int, Throwing> value;
  CHECK_THROWS_AS(value.emplace<Throwing>(1), int);
  CHECK_THROWS_AS(encoded(value), Refused);
}

// Fault hostile.values
TEST_CASE("objects may be nested 64 deep and no deeper") {
  CHECK_NOTHROW(round_trip(chain(64)));
  CHECK_THROWS_WITH(encoded(chain(65)), "objects are nested more than 64 deep");
  CHECK_NOTHROW(decode<Tree>(nested_tree_bytes(64)));
  CHECK_THROWS_WITH(decode<Tree>(nested_tree_bytes(65)), "objects are nested more than 64 deep");
  CHECK_THROWS_AS(decode<Tree>(nested_tree_bytes(100'000)), Refused);
  CHECK_THROWS_AS(decode<Node>(Buffer(100'000, std::byte{1})), Refused);
}
