// Types that stand for what users put into their requests, for the target `codec`.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "bulkhead/detail/codec.hpp"
#include "bulkhead/enum_range.hpp"

namespace bulkhead::fuzz {

struct Plain {
  int number = 0;
  bool flag = false;
  double real = 0;
  std::string text = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, flag, real, text);
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

struct Grown {
  std::vector<std::uint16_t> values = {};
  std::optional<std::string> since_two = {};
  template <class Archive>
  void serialize(Archive& ar, std::uint32_t version) {
    ar(values);
    if (version >= 2) ar(since_two);
  }
};

using Values =
    std::tuple<Plain, Tree, Grown, std::vector<std::string>, std::vector<bool>,
               std::map<std::string, std::vector<int>>, std::unordered_map<std::uint64_t, Plain>,
               std::set<std::pair<int, std::string>>, std::deque<std::array<std::uint8_t, 3>>,
               std::variant<int, std::string, std::vector<double>>,
               std::optional<std::variant<bool, std::unique_ptr<std::string>>>,
               std::tuple<std::bitset<13>, std::chrono::milliseconds, char32_t>>;

}  // namespace bulkhead::fuzz

CEREAL_CLASS_VERSION(bulkhead::fuzz::Grown, 2)
