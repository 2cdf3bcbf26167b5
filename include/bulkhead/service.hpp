/// @file
/// The contract between an application and its workers: a name, a version, and the requests.
///
///     struct Thumbnailer : bulkhead::Service<"thumbnailer", Thumbnail, Probe> {};
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "bulkhead/detail/fixed_string.hpp"
#include "bulkhead/enum_range.hpp"

namespace bulkhead {

namespace detail {

// A Response is void or as movable and default constructible as its request.
template <class T>
concept Value = std::is_object_v<T> && std::move_constructible<T> && std::default_initializable<T>;

template <class R>
concept NamesResponse = requires {
  typename R::Response;
};

template <class R>
concept NamesProgress = requires {
  typename R::Progress;
};

template <class R>
constexpr bool names_value_or_void() {
  if constexpr (NamesResponse<R>) {
    return std::is_void_v<typename R::Response> || Value<typename R::Response>;
  } else {
    return false;
  }
}

template <class R>
constexpr bool names_value_as_progress() {
  if constexpr (NamesProgress<R>) {
    return Value<typename R::Progress>;
  } else {
    return true;
  }
}

}  // namespace detail

/// A type that names its typed answer, `using Response = ...;`, and that cereal can carry: a
/// movable and default constructible class. Its Response is void or of the same kind. Shared, raw
/// and polymorphic pointers in it are refused when you compile. `static constexpr bool idempotent =
/// true;` in it says that running it twice is harmless. `using Progress = ...;`, of the same kind,
/// is what its handler may tell its caller meanwhile.
template <class R>
concept Request = std::is_class_v<R> && detail::Value<R> && detail::names_value_or_void<R>();

/// The type of a request's answer.
template <Request R>
using ResponseOf = typename R::Response;

/// Whether a request may be run again after it took a worker down: what its `idempotent` says.
template <class R>
inline constexpr bool is_idempotent = false;
/// Of a request that says it.
template <class R>
requires requires {
  { R::idempotent } -> std::convertible_to<bool>;
}
inline constexpr bool is_idempotent<R> = R::idempotent;

namespace detail {

template <class R>
struct CheckRequest {
  static_assert(std::move_constructible<R>, "bulkhead: a request must be movable");
  static_assert(std::default_initializable<R>, "bulkhead: a request must be default constructible");
  static_assert(NamesResponse<R>,
                "bulkhead: a request must name its answer, as in `using Response = Image;`");
  static_assert(!NamesResponse<R> || names_value_or_void<R>(),
                "bulkhead: a Response must be void, or movable and default constructible");
  static_assert(names_value_as_progress<R>(),
                "bulkhead: a Progress must be movable and default constructible");
  static constexpr bool done = true;
};

template <class R, class... Requests>
inline constexpr std::size_t times_listed = (std::size_t{std::same_as<R, Requests>} + ... + 0);

template <class R, class... Requests>
struct CheckListedOnce {
  static_assert(times_listed<R, Requests...> == 1,
                "bulkhead: a service lists the same request twice");
  static constexpr bool done = true;
};

}  // namespace detail

/// The contract: to be derived from. The two sides compare the name, the version and the names of
/// the requests, in order, when a worker starts; a difference is errc::contract_mismatch.
template <fixed_string Name, class... Requests>
struct Service {
  /// A derived class marks what the two sides cannot see, such as changed fields, by a `version` of
  /// its own.
  static constexpr std::uint32_t version = 0;

  static_assert(!Name.view().empty(), "bulkhead: a service needs a name");
  static_assert((detail::CheckRequest<Requests>::done && ...));
  static_assert((detail::CheckListedOnce<Requests, Requests...>::done && ...));
};

namespace detail {

// What a service lists. Found from any class that derives from a Service.
template <fixed_string Name, class... Requests>
struct ServiceList {
  static constexpr std::string_view name = Name.view();
  static constexpr std::size_t size = sizeof...(Requests);

  // Its place in the list; `size` if it is not in it.
  template <class R>
  static constexpr std::uint32_t index_of() {
    std::uint32_t index = 0;
    static_cast<void>(((std::same_as<R, Requests> || (++index, false)) || ...));
    return index;
  }

  // Calls `function` with all the requests as its template arguments.
  template <class Function>
  static constexpr decltype(auto) apply(Function&& function) {
    return function.template operator()<Requests...>();
  }
};

template <fixed_string Name, class... Requests>
ServiceList<Name, Requests...> list_of(const volatile Service<Name, Requests...>*);

template <class S>
using ListOf = decltype(list_of(static_cast<S*>(nullptr)));

template <class S>
inline constexpr std::size_t request_count = ListOf<S>::size;

template <class R, class S>
inline constexpr std::uint32_t request_index = ListOf<S>::template index_of<R>();

}  // namespace detail

/// R is one of the requests of the service S.
template <class R, class S>
concept RequestOf = Request<R> && requires {
  typename detail::ListOf<S>;
} && detail::request_index<R, S> < detail::request_count<S>;

}  // namespace bulkhead
