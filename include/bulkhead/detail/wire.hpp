// What a value looks like in a frame. The two sides are processes of one machine and one ABI.
//
//   number, enum, complex      its value bytes, little endian
//   bool                       one byte, 0 or 1
//   string, vector of numbers  count (8 bytes), then the values as one block; or the count with its
//                              highest bit set, then the handle of the block, as of Bytes
//   any other container        count (8 bytes), then its elements
//   array, pair, tuple         its members
//   optional, unique_ptr       a bool, then what it holds
//   Bytes                      a byte: 0, then as a string; else who made them, then their handle:
//                              id and size (8 bytes each)
//   variant                    index (2 bytes), then the alternative
//   class                      what its serialize() passes, after its version (4 bytes) if it has
//   one
//
// An element of a container, and what a unique_ptr points to, is padded with zeros until its bytes,
// without those of the elements within it, are a quarter of the memory that it takes. Most types
// need no padding. It bounds what a forged frame can cost: a count that the rest of the frame
// cannot hold is refused before anything is allocated, and all that decoding allocates is at most
// four times the frame, besides one element for each level of nesting. (What an element's own
// constructor allocates is its type's affair.) `load` must read the types that `save` wrote.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "bulkhead/detail/type_name.hpp"
#include "bulkhead/enum_range.hpp"

namespace bulkhead::detail {

static_assert(std::endian::native == std::endian::little);

// How a type that the library encodes itself is written and read: static write(Encoder&, const T&)
// and read(Decoder&, T&). Every other type is left to cereal, which finds its serialize().
// Exact types only, so a class that derives from a container keeps its own serialize().
template <class T>
struct Codec;

template <class T>
concept OwnCodec = requires {
  sizeof(Codec<std::remove_const_t<T>>);
};

// Objects of classes within one another; refused beyond, before the stack overflows.
inline constexpr unsigned max_depth = 64;

// In the count of a block: it is not here, but its handle.
inline constexpr std::uint64_t is_beside = std::uint64_t{1} << 63;

// What a node of a list, tree or hash table takes besides its value, alignment included.
inline constexpr std::size_t node_links = 40;

// The bytes that an element of type T takes in a frame, at least.
template <class T>
constexpr std::size_t floor_bytes(std::size_t links = 0) {
  return std::max<std::size_t>(1, (sizeof(T) + links + 3) / 4);
}

// The x87 long double is ten bytes and six of padding, which must not leak.
template <class T>
inline constexpr std::size_t value_bytes = sizeof(T);
template <>
inline constexpr std::size_t value_bytes<long double> = std::numeric_limits<long double>::digits ==
                                                                64
                                                            ? 10
                                                            : sizeof(long double);

// Only then is every value of the underlying type a value of the enum.
template <class E>
concept FixedEnum = std::is_enum_v<E> && requires {
  E{0};
};

template <class E>
concept RangedEnum = FixedEnum<E> && requires {
  { EnumRange<E>::min } -> std::convertible_to<E>;
  { EnumRange<E>::max } -> std::convertible_to<E>;
};

// By its name, because <complex> includes all of <sstream>.
template <class T>
concept StdComplex = std::is_class_v<T> && requires(T z) {
  typename T::value_type;
  z.real(z.imag());
} && full_type_name<T>()
.starts_with("std::") && type_name<T>().starts_with("complex<");

template <class T>
constexpr bool is_plain() {
  if constexpr (std::is_arithmetic_v<T>) {
    return !std::same_as<T, bool> && value_bytes<T> == sizeof(T);
  } else if constexpr (FixedEnum<T>) {
    return !RangedEnum<T> && is_plain<std::underlying_type_t<T>>();
  } else if constexpr (StdComplex<T>) {
    return is_plain<typename T::value_type>();
  } else {
    return false;
  }
}

// No padding, and every pattern of bits is a value: may be copied as bytes.
template <class T>
concept Plain = is_plain<T>();

}  // namespace bulkhead::detail
