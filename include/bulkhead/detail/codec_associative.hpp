// Sets and maps, ordered and unordered.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "bulkhead/detail/decoder.hpp"
#include "bulkhead/detail/encoder.hpp"

namespace bulkhead::detail {

// Nothing for none: an empty hash table owns no memory, and stays so.
template <class Container>
void make_room(Container& container, std::size_t elements) {
  if constexpr (requires { container.reserve(elements); }) {
    if (elements > 0) container.reserve(elements);
  }
}

template <class Set>
struct SetCodec {
  using Key = typename Set::key_type;
  static constexpr std::size_t floor = floor_bytes<Key>(node_links);

  static void write(Encoder& encoder, const Set& set) {
    encoder.count(set.size());
    for (const Key& key : set) encoder.element(floor, key);
  }
  static void read(Decoder& decoder, Set& set) {
    set.clear();
    std::size_t left = decoder.count("a set", floor);
    make_room(set, left);
    for (; left > 0; --left) {
      Key key{};
      decoder.element(floor, key);
      set.emplace_hint(set.end(), std::move(key));
    }
  }
};

template <class Map>
struct MapCodec {
  static constexpr std::size_t floor = floor_bytes<typename Map::value_type>(node_links);

  static void write(Encoder& encoder, const Map& map) {
    encoder.count(map.size());
    for (const auto& [key, value] : map) encoder.element(floor, key, value);
  }
  static void read(Decoder& decoder, Map& map) {
    map.clear();
    std::size_t left = decoder.count("a map", floor);
    make_room(map, left);
    for (; left > 0; --left) {
      typename Map::key_type key{};
      typename Map::mapped_type value{};
      decoder.element(floor, key, value);
      map.emplace_hint(map.end(), std::move(key), std::move(value));
    }
  }
};

template <class... Ts>
struct Codec<std::set<Ts...>> : SetCodec<std::set<Ts...>> {};
template <class... Ts>
struct Codec<std::multiset<Ts...>> : SetCodec<std::multiset<Ts...>> {};
template <class... Ts>
struct Codec<std::unordered_set<Ts...>> : SetCodec<std::unordered_set<Ts...>> {};
template <class... Ts>
struct Codec<std::unordered_multiset<Ts...>> : SetCodec<std::unordered_multiset<Ts...>> {};

template <class... Ts>
struct Codec<std::map<Ts...>> : MapCodec<std::map<Ts...>> {};
template <class... Ts>
struct Codec<std::multimap<Ts...>> : MapCodec<std::multimap<Ts...>> {};
template <class... Ts>
struct Codec<std::unordered_map<Ts...>> : MapCodec<std::unordered_map<Ts...>> {};
template <class... Ts>
struct Codec<std::unordered_multimap<Ts...>> : MapCodec<std::unordered_multimap<Ts...>> {};

}  // namespace bulkhead::detail
