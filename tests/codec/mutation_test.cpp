// Frames that were valid until somebody wrote over them: each decodes or is refused.
#include <bitset>
#include <catch2/catch.hpp>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "codec/round_trip.hpp"

namespace {

using bulkhead::detail::Buffer;
using bulkhead::detail::Refused;

struct Picky {
  int value = 1;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
    if (value < 0) throw std::domain_error("negative");
  }
};

struct Tree {
  std::string name = {};
  std::vector<Tree> children = {};
  std::unique_ptr<Tree> other = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(name, children, other);
  }
};

struct Versioned {
  std::list<std::string> names = {"a", "b"};
  template <class Archive>
  void serialize(Archive& ar, std::uint32_t) {
    ar(names);
  }
};

void mutate(Buffer& bytes, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    switch (below(6)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1u << below(8));
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 2:
        bytes[at] = std::byte{0xff};
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), 8, std::byte{0});
        break;
      default:
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
    }
  }
}

template <class T>
void survives_mutation(const T& value) {
  INFO(bulkhead::detail::full_type_name<T>());
  std::mt19937 random(4711);
  const Buffer valid = encoded(value);
  int decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    Buffer bytes = valid;
    mutate(bytes, random);
    try {
      const T read = bulkhead::detail::decode<T>(bytes);
      ++decoded;
      // What decodes is a value like any other.
      encoded(read);
    } catch (const Refused&) {
    } catch (const std::domain_error&) {
    }
  }
  CHECK(decoded > 0);
}

Tree tree() {
  Tree root{"root"};
  root.children.push_back({"left"});
  root.children.push_back({"right"});
  root.children[0].other = std::make_unique<Tree>(Tree{"other"});
  return root;
}

}  // namespace

// Fault hostile.values
TEST_CASE("mutated frames decode or are refused") {
  survives_mutation(std::string("hello, world"));
  survives_mutation(std::vector<double>{1, 2, 3});
  survives_mutation(std::vector<std::string>{"a", "", "ccc"});
  survives_mutation(std::map<std::string, std::vector<int>>{{"a", {1, 2}}, {"b", {}}});
  survives_mutation(std::unordered_map<int, std::optional<std::string>>{{1, "x"}, {2, {}}});
  survives_mutation(std::tuple<bool, std::bitset<12>, std::chrono::seconds>{true, 5, 7});
  survives_mutation(std::vector<std::variant<std::monostate, std::string, bool>>{{}, "a", true});
  survives_mutation(std::set<std::pair<int, bool>>{{1, true}, {2, false}});
  survives_mutation(std::vector<Picky>(5));
  survives_mutation(std::vector<Versioned>(3));
  survives_mutation(tree());
}
