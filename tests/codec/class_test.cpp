#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "codec/round_trip.hpp"

namespace shop {

struct Member {
  int a = 0;
  std::string b = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(CEREAL_NVP(a), cereal::make_nvp("b", b));
  }
  bool operator==(const Member&) const = default;
};

struct Free {
  int a = 0;
  bool operator==(const Free&) const = default;
};
template <class Archive>
void serialize(Archive& ar, Free& value) {
  ar& value.a;
}

struct Split {
  int a = 0;
  template <class Archive>
  void save(Archive& ar) const {
    ar << a + 1;
  }
  template <class Archive>
  void load(Archive& ar) {
    ar >> a;
    --a;
  }
  bool operator==(const Split&) const = default;
};

struct FreeSplit {
  int a = 0;
  bool operator==(const FreeSplit&) const = default;
};
template <class Archive>
void save(Archive& ar, const FreeSplit& value) {
  ar(value.a);
}
template <class Archive>
void load(Archive& ar, FreeSplit& value) {
  ar(value.a);
}

struct Minimal {
  std::string text;
  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return text;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& saved) {
    text = saved;
  }
  bool operator==(const Minimal&) const = default;
};

struct FreeMinimal {
  double a = 0;
  bool operator==(const FreeMinimal&) const = default;
};
template <class Archive>
double save_minimal(const Archive&, const FreeMinimal& value) {
  return value.a;
}
template <class Archive>
void load_minimal(const Archive&, FreeMinimal& value, const double& saved) {
  value.a = saved;
}

struct Versioned {
  int a = 0;
  std::uint32_t seen = 0;
  template <class Archive>
  void serialize(Archive& ar, std::uint32_t version) {
    ar(a);
    seen = version;
  }
};

struct VersionedSplit {
  int a = 0;
  std::uint32_t seen = 0;
};
template <class Archive>
void save(Archive& ar, const VersionedSplit& value, std::uint32_t version) {
  ar(value.a, version);
}
template <class Archive>
void load(Archive& ar, VersionedSplit& value, std::uint32_t version) {
  ar(value.a, value.seen);
  value.seen += version;
}

struct VersionedMinimal {
  int a = 0;
  template <class Archive>
  int save_minimal(const Archive&, std::uint32_t version) const {
    return a + static_cast<int>(version);
  }
  template <class Archive>
  void load_minimal(const Archive&, const int& saved, std::uint32_t version) {
    a = saved - static_cast<int>(version);
  }
};

struct Derived : Member {
  int c = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::base_class<Member>(this), cereal::make_nvp("c", c));
  }
  bool operator==(const Derived&) const = default;
};

// Has a serialize by inheritance and by itself, and says which one counts.
struct Chosen : Member {
  template <class Archive>
  void save(Archive& ar) const {
    ar(a, b);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(a, b);
    b += "!";
  }
};

struct Polyline : std::vector<int> {
  std::string name;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(cereal::base_class<std::vector<int>>(this), name);
  }
};

class Shape {
 public:
  virtual ~Shape() = default;
  int sides = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(sides);
  }
};

class Private {
 public:
  Private() = default;
  explicit Private(std::unique_ptr<int> held) : held_(std::move(held)) {}
  int held() const { return *held_; }

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(held_);
  }
  std::unique_ptr<int> held_;
};

struct ByHand {
  std::vector<int> numbers = {};
  unsigned char raw[3] = {};
  template <class Archive>
  void save(Archive& ar) const {
    ar(cereal::make_size_tag(numbers.size()));
    for (const int number : numbers) ar(number);
    ar(cereal::binary_data(raw, sizeof raw));
  }
  template <class Archive>
  void load(Archive& ar) {
    cereal::size_type size = 0;
    ar(cereal::make_size_tag(size));
    numbers.resize(size);
    for (int& number : numbers) ar(number);
    ar(cereal::binary_data(raw, sizeof raw));
  }
};

struct Nothing {};

struct Throws {
  template <class Archive>
  void serialize(Archive& ar) {
    int before = 1;
    ar(before);
    throw std::logic_error("no");
  }
};

struct Tree {
  int value = 0;
  std::vector<Tree> children = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value, children);
  }
  bool operator==(const Tree&) const = default;
};

}  // namespace shop

CEREAL_CLASS_VERSION(shop::Versioned, 3)
CEREAL_CLASS_VERSION(shop::VersionedSplit, 10)
CEREAL_CLASS_VERSION(shop::VersionedMinimal, 7)
CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES(shop::Chosen, cereal::specialization::member_load_save)

using namespace shop;

TEST_CASE("a class travels by whichever functions it has") {
  CHECK(round_trip(Member{1, "b"}) == Member{1, "b"});
  CHECK(round_trip(Free{2}) == Free{2});
  CHECK(round_trip(Split{3}) == Split{3});
  CHECK(round_trip(FreeSplit{4}) == FreeSplit{4});
  CHECK(round_trip(Minimal{"m"}) == Minimal{"m"});
  CHECK(round_trip(FreeMinimal{0.5}) == FreeMinimal{0.5});
  CHECK(round_trip(std::vector<Member>{{1, "a"}, {2, "b"}})[1] == Member{2, "b"});
  CHECK(round_trip(std::map<int, Minimal>{{1, {"x"}}})[1] == Minimal{"x"});
  CHECK(round_trip(std::vector<Nothing>(5)).size() == 5);
  static_cast<void>(round_trip(Nothing{}));
}

TEST_CASE("a class travels with its version") {
  const auto back = round_trip(std::vector<Versioned>{{1}, {2}});
  CHECK(back[1].a == 2);
  CHECK(back[1].seen == 3);
  CHECK(round_trip(VersionedSplit{1}).seen == 20);
  CHECK(round_trip(VersionedMinimal{5}).a == 5);
}

TEST_CASE("a derived class travels with its base") {
  Derived derived;
  derived.a = 1;
  derived.b = "b";
  derived.c = 2;
  CHECK(round_trip(derived) == derived);
}

TEST_CASE("cereal::specialize settles which functions are used") {
  Chosen chosen;
  chosen.b = "b";
  CHECK(round_trip(chosen).b == "b!");
}

TEST_CASE("a class that derives from a container keeps its own serialize") {
  Polyline line;
  line.assign({1, 2, 3});
  line.name = "n";
  const Polyline back = round_trip(line);
  CHECK(back.size() == 3);
  CHECK(back.name == "n");
}

TEST_CASE("a polymorphic class travels by value") {
  std::vector<Shape> shapes(2);
  shapes[1].sides = 3;
  CHECK(round_trip(shapes)[1].sides == 3);
}

TEST_CASE("private members of a movable class travel") {
  CHECK(round_trip(Private(std::make_unique<int>(7))).held() == 7);
}

TEST_CASE("sizes and bytes that a class writes by hand travel") {
  const ByHand back = round_trip(ByHand{{1, 2, 3}, {4, 5, 6}});
  CHECK(back.numbers == std::vector{1, 2, 3});
  CHECK(back.raw[2] == 6);
}

TEST_CASE("a recursive class travels") {
  const Tree tree{1, {{2, {{3, {}}}}, {4, {}}}};
  CHECK(round_trip(tree) == tree);
}

TEST_CASE("a throwing serialize leaves the buffer as it was, and its exception passes") {
  auto bytes = encoded(Free{1});
  const auto before = bytes;
  CHECK_THROWS_AS(bulkhead::detail::encode(bytes, Throws{}), std::logic_error);
  CHECK(bytes == before);
  CHECK_THROWS_AS(bulkhead::detail::decode<Throws>(encoded(Free{1})), std::logic_error);
}
