// Single values: numbers, enums, what wraps or joins values, and cereal's own wrappers.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "bulkhead/detail/decoder.hpp"
#include "bulkhead/detail/encoder.hpp"

namespace bulkhead::detail {

template <Plain T>
struct Codec<T> {
  static void write(Encoder& encoder, const T& value) { encoder.bytes(&value, sizeof value); }
  static void read(Decoder& decoder, T& value) { decoder.bytes(&value, sizeof value); }
};

template <>
struct Codec<bool> {
  static void write(Encoder& encoder, bool value) { encoder(static_cast<unsigned char>(value)); }
  static void read(Decoder& decoder, bool& value) {
    unsigned char byte = 0;
    decoder(byte);
    if (byte > 1) throw Refused("a bool reads " + std::to_string(byte));
    value = byte == 1;
  }
};

template <std::same_as<long double> T>
requires(!Plain<T>) struct Codec<T> {
  static void write(Encoder& encoder, const T& value) { encoder.bytes(&value, value_bytes<T>); }
  static void read(Decoder& decoder, T& value) {
    value = 0;
    decoder.bytes(&value, value_bytes<T>);
  }
};

template <StdComplex T>
requires(!Plain<T>) struct Codec<T> {
  static void write(Encoder& encoder, const T& value) { encoder(value.real(), value.imag()); }
  static void read(Decoder& decoder, T& value) {
    typename T::value_type real = 0, imag = 0;
    decoder(real, imag);
    value = T(real, imag);
  }
};

// An enum with a range, or one over bool.
template <FixedEnum E>
requires(!Plain<E>) struct Codec<E> {
  using Underlying = std::underlying_type_t<E>;

  static void write(Encoder& encoder, E value) {
    check(static_cast<Underlying>(value));
    encoder(static_cast<Underlying>(value));
  }
  static void read(Decoder& decoder, E& value) {
    Underlying read = 0;
    decoder(read);
    check(read);
    value = static_cast<E>(read);
  }
  static void check(Underlying value) {
    if constexpr (RangedEnum<E>) {
      if (value < static_cast<Underlying>(EnumRange<E>::min) ||
          value > static_cast<Underlying>(EnumRange<E>::max))
        throw Refused("an enum, " + std::string(type_name<E>()) + ", is " + std::to_string(value));
    }
  }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static void write(Encoder& encoder, const Duration& value) { encoder(value.count()); }
  static void read(Decoder& decoder, Duration& value) {
    Rep count{};
    decoder(count);
    value = Duration(count);
  }
};

template <class Clock, class Duration>
struct Codec<std::chrono::time_point<Clock, Duration>> {
  using TimePoint = std::chrono::time_point<Clock, Duration>;
  static void write(Encoder& encoder, const TimePoint& value) { encoder(value.time_since_epoch()); }
  static void read(Decoder& decoder, TimePoint& value) {
    Duration since_epoch{};
    decoder(since_epoch);
    value = TimePoint(since_epoch);
  }
};

template <class First, class Second>
struct Codec<std::pair<First, Second>> {
  static void write(Encoder& encoder, const auto& value) { encoder(value.first, value.second); }
  static void read(Decoder& decoder, auto& value) { decoder(value.first, value.second); }
};

template <class... Ts>
struct Codec<std::tuple<Ts...>> {
  static void write(Encoder& encoder, const auto& value) { std::apply(encoder, value); }
  static void read(Decoder& decoder, auto& value) {
    std::apply([&](auto&... members) { decoder(members...); }, value);
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static void write(Encoder& encoder, const std::optional<T>& value) {
    encoder(value.has_value());
    if (value) encoder(*value);
  }
  static void read(Decoder& decoder, std::optional<T>& value) {
    bool present = false;
    decoder(present);
    if (present) {
      decoder(value.emplace());
    } else {
      value.reset();
    }
  }
};

template <class T, class Deleter>
struct Codec<std::unique_ptr<T, Deleter>> {
  static constexpr std::size_t floor = floor_bytes<T>();

  static void write(Encoder& encoder, const std::unique_ptr<T, Deleter>& value) {
    encoder(value != nullptr);
    if (value) encoder.element(floor, *value);
  }
  static void read(Decoder& decoder, std::unique_ptr<T, Deleter>& value) {
    bool present = false;
    decoder(present);
    value.reset();
    if (!present) return;
    decoder.claim(floor);
    value.reset(new T());
    decoder.element(floor, *value);
  }
};

template <>
struct Codec<std::monostate> {
  static void write(Encoder&, std::monostate) {}
  static void read(Decoder&, std::monostate&) {}
};

template <class... Ts>
struct Codec<std::variant<Ts...>> {
  using Variant = std::variant<Ts...>;

  static void write(Encoder& encoder, const Variant& value) {
    if (value.valueless_by_exception()) throw Refused("a variant lost its value to an exception");
    encoder(static_cast<std::uint16_t>(value.index()));
    std::visit(encoder, value);
  }
  static void read(Decoder& decoder, Variant& value) {
    std::uint16_t index = 0;
    decoder(index);
    if (index >= sizeof...(Ts)) {
      throw Refused("a variant of " + std::to_string(sizeof...(Ts)) + " has the index " +
                    std::to_string(index));
    }
    read_alternative(decoder, value, index, std::index_sequence_for<Ts...>());
  }
  template <std::size_t... Is>
  static void read_alternative(Decoder& decoder, Variant& value, std::size_t index,
                               std::index_sequence<Is...>) {
    static_cast<void>(((index == Is && (decoder(value.template emplace<Is>()), true)) || ...));
  }
};

template <class T>
struct Codec<cereal::NameValuePair<T>> {
  static void write(Encoder& encoder, const auto& pair) { encoder(pair.value); }
  static void read(Decoder& decoder, auto& pair) { decoder(pair.value); }
};

template <class Base>
struct Codec<cereal::base_class<Base>> {
  static void write(Encoder& encoder, const auto& base) {
    encoder(static_cast<const Base&>(*base.base_ptr));
  }
  static void read(Decoder& decoder, auto& base) { decoder(*base.base_ptr); }
};

// The size of a container whose elements a type's own functions write and read.
template <class T>
struct Codec<cereal::SizeTag<T>> {
  static void write(Encoder& encoder, const auto& tag) {
    encoder.count(static_cast<std::size_t>(tag.size));
  }
  static void read(Decoder& decoder, auto& tag) {
    tag.size = static_cast<std::remove_reference_t<T>>(decoder.count_unclaimed("a container"));
  }
};

template <class T>
struct Codec<cereal::BinaryData<T>> {
  static void write(Encoder& encoder, const auto& data) { encoder.bytes(data.data, data.size); }
  static void read(Decoder& decoder, auto& data) { decoder.bytes(data.data, data.size); }
};

// What cereal looks for when a class's save_minimal() gave it a number or a string.
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(Encoder& encoder, const T& value) { encoder(value); }
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(Decoder& decoder, T& value) { decoder(value); }
inline void CEREAL_SAVE_FUNCTION_NAME(Encoder& encoder, const std::string& value) {
  encoder(value);
}
inline void CEREAL_LOAD_FUNCTION_NAME(Decoder& decoder, std::string& value) { decoder(value); }

}  // namespace bulkhead::detail
