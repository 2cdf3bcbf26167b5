// Strings, arrays and sequences. Values that are plain bytes travel as one block.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "bulkhead/detail/decoder.hpp"
#include "bulkhead/detail/encoder.hpp"

namespace bulkhead::detail {

inline bool is_aligned(const std::byte* bytes, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(bytes) % alignment == 0;
}

// Appends the values in `bytes`, which need not be aligned for them, though they mostly are.
template <class Container>
void append_block(Container& container, std::span<const std::byte> bytes) {
  using T = typename Container::value_type;
  const auto append = [&](const T* values, std::size_t size) {
    container.insert(container.end(), values, values + size);
  };
  container.reserve(bytes.size() / sizeof(T));
  prepare_to_fill(container.data(), bytes.size());
  if (is_aligned(bytes.data(), alignof(T)))
    return append(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  constexpr std::size_t chunk_size = 64;
  while (!bytes.empty()) {
    T chunk[chunk_size];
    const std::size_t taken = std::min(bytes.size(), sizeof chunk);
    std::memcpy(static_cast<void*>(chunk), bytes.data(), taken);
    append(chunk, taken / sizeof(T));
    bytes = bytes.subspan(taken);
  }
}

template <class Container>
struct BlockCodec {
  using T = typename Container::value_type;

  static void write(Encoder& encoder, const Container& container) {
    encoder.block(container.size(), container.data(), container.size() * sizeof(T));
  }
  static void read_as(const char* name, Decoder& decoder, Container& container) {
    container.clear();
    const Decoder::Block block = decoder.block(name, sizeof(T));
    append_block(container, block.bytes);
  }
};

template <Plain C, class Traits, class Allocator>
struct Codec<std::basic_string<C, Traits, Allocator>>
    : BlockCodec<std::basic_string<C, Traits, Allocator>> {
  static void read(Decoder& decoder, auto& string) { Codec::read_as("a string", decoder, string); }
};

template <Plain T, class Allocator>
struct Codec<std::vector<T, Allocator>> : BlockCodec<std::vector<T, Allocator>> {
  static void read(Decoder& decoder, auto& vector) { Codec::read_as("a vector", decoder, vector); }
};

template <class Container, std::size_t links>
struct SequenceCodec {
  static constexpr std::size_t floor = floor_bytes<typename Container::value_type>(links);

  static void write(Encoder& encoder, const Container& container) {
    encoder.count(static_cast<std::size_t>(std::distance(container.begin(), container.end())));
    for (const auto& element : container) encoder.element(floor, element);
  }
  static void read_as(const char* name, Decoder& decoder, Container& container) {
    container.clear();
    std::size_t left = decoder.count(name, floor);
    if constexpr (requires { container.reserve(left); }) container.reserve(left);
    for (; left > 0; --left) decoder.element(floor, container.emplace_back());
  }
};

template <class T, class Allocator>
struct Codec<std::vector<T, Allocator>> : SequenceCodec<std::vector<T, Allocator>, 0> {
  static void read(Decoder& decoder, auto& vector) { Codec::read_as("a vector", decoder, vector); }
};

template <class T, class Allocator>
struct Codec<std::deque<T, Allocator>> : SequenceCodec<std::deque<T, Allocator>, 0> {
  static void read(Decoder& decoder, auto& deque) { Codec::read_as("a deque", decoder, deque); }
};

template <class T, class Allocator>
struct Codec<std::list<T, Allocator>> : SequenceCodec<std::list<T, Allocator>, node_links> {
  static void read(Decoder& decoder, auto& list) { Codec::read_as("a list", decoder, list); }
};

template <class T, class Allocator>
struct Codec<std::forward_list<T, Allocator>>
    : SequenceCodec<std::forward_list<T, Allocator>, node_links> {
  static void read(Decoder& decoder, std::forward_list<T, Allocator>& list) {
    list.clear();
    auto last = list.before_begin();
    for (std::size_t left = decoder.count("a forward_list", Codec::floor); left > 0; --left) {
      last = list.emplace_after(last);
      decoder.element(Codec::floor, *last);
    }
  }
};

template <class Allocator>
struct Codec<std::vector<bool, Allocator>> {
  static void write(Encoder& encoder, const std::vector<bool, Allocator>& vector) {
    encoder.count(vector.size());
    for (const bool value : vector) encoder.element(1, value);
  }
  static void read(Decoder& decoder, std::vector<bool, Allocator>& vector) {
    vector.clear();
    std::size_t left = decoder.count("a vector", 1);
    vector.reserve(left);
    for (; left > 0; --left) {
      bool value = false;
      decoder.element(1, value);
      vector.push_back(value);
    }
  }
};

template <class T, std::size_t Size>
struct Codec<T[Size]> {
  static void write(Encoder& encoder, const T (&array)[Size]) {
    if constexpr (Plain<T>) {
      encoder.bytes(array, sizeof array);
    } else {
      for (const T& element : array) encoder(element);
    }
  }
  static void read(Decoder& decoder, T (&array)[Size]) {
    if constexpr (Plain<T>) {
      decoder.bytes(array, sizeof array);
    } else {
      for (T& element : array) decoder(element);
    }
  }
};

template <class T, std::size_t Size>
struct Codec<std::array<T, Size>> {
  static void write(Encoder& encoder, const std::array<T, Size>& array) {
    if constexpr (Plain<T>) {
      encoder.bytes(array.data(), Size * sizeof(T));
    } else {
      for (const T& element : array) encoder(element);
    }
  }
  static void read(Decoder& decoder, std::array<T, Size>& array) {
    if constexpr (Plain<T>) {
      decoder.bytes(array.data(), Size * sizeof(T));
    } else {
      for (T& element : array) decoder(element);
    }
  }
};

// Eight to a byte, the lowest first.
template <std::size_t Size>
struct Codec<std::bitset<Size>> {
  using Bytes = std::array<unsigned char, (Size + 7) / 8>;

  static void write(Encoder& encoder, const std::bitset<Size>& bits) {
    Bytes bytes{};
    for (std::size_t i = 0; i < Size; ++i) {
      if (bits[i]) bytes[i / 8] = static_cast<unsigned char>(bytes[i / 8] | 1u << i % 8);
    }
    encoder(bytes);
  }
  static void read(Decoder& decoder, std::bitset<Size>& bits) {
    Bytes bytes{};
    decoder(bytes);
    for (std::size_t i = 0; i < Size; ++i) bits[i] = (bytes[i / 8] >> i % 8 & 1) != 0;
  }
};

}  // namespace bulkhead::detail
