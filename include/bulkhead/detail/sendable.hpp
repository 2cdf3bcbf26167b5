#pragma once

#include <cereal/cereal.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "bulkhead/detail/wire.hpp"

namespace bulkhead::detail {

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t Extent>
inline constexpr bool is_span<std::span<T, Extent>> = true;

template <class T>
inline constexpr bool points_to_polymorphic = false;
template <class T, class Deleter>
inline constexpr bool points_to_polymorphic<std::unique_ptr<T, Deleter>> = std::is_polymorphic_v<T>;

template <class T>
inline constexpr bool points_to_array = false;
template <class T, class Deleter>
inline constexpr bool points_to_array<std::unique_ptr<T[], Deleter>> = true;

// The types that may not travel, and why. False if T is one of them.
template <class T>
constexpr bool check_sendable() {
  constexpr bool shared = is_a<T, std::shared_ptr> || is_a<T, std::weak_ptr>;
  static_assert(!shared,
                "bulkhead cannot send a std::shared_ptr or std::weak_ptr: a hostile peer could "
                "forge what is shared. Send the value itself, or a std::unique_ptr");

  constexpr bool pointer = std::is_pointer_v<T> || std::is_member_pointer_v<T>;
  static_assert(!pointer,
                "bulkhead cannot send a raw pointer: an address means nothing in another process. "
                "Send the value itself, a std::optional or a std::unique_ptr");

  static_assert(!points_to_polymorphic<T>,
                "bulkhead cannot send a pointer to a polymorphic type: a hostile peer could choose "
                "the class that is made. Send a std::variant of the classes that may come");

  static_assert(!points_to_array<T>,
                "bulkhead cannot send a std::unique_ptr to an array: it does not know its size. "
                "Send a std::vector");

  constexpr bool view = is_a<T, std::reference_wrapper> || is_a<T, std::basic_string_view>;
  static_assert(!view && !is_span<T>,
                "bulkhead cannot send a reference, string_view or span: nothing would own what it "
                "refers to in the other process. Send a std::string, a std::vector or the value");

  constexpr bool open_enum = std::is_enum_v<T> && !FixedEnum<T>;
  static_assert(
      !open_enum,
      "bulkhead cannot send an enum without a fixed underlying type: a forged value would "
      "be undefined behaviour. Give it one, as in `enum Colour : int`");

  constexpr bool late = is_a<T, cereal::DeferredData> || is_a<T, cereal::virtual_base_class>;
  static_assert(!late,
                "bulkhead supports neither cereal::defer nor cereal::virtual_base_class: both are "
                "for graphs of objects. Use plain members and cereal::base_class");

  return !(shared || pointer || points_to_polymorphic<T> || points_to_array<T> || view ||
           is_span<T> || open_enum || late);
}

}  // namespace bulkhead::detail
