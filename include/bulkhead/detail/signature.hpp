// What a handler's type says of its parameters, where it says it.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bulkhead::detail {

template <class... Args>
struct Parameters {
  static constexpr std::size_t count = sizeof...(Args);
  template <std::size_t Index>
  using at = std::tuple_element_t<Index, std::tuple<Args...>>;
};

template <class R, class... Args>
Parameters<Args...> parameters_of(R (*)(Args...));
template <class C, class R, class... Args>
Parameters<Args...> parameters_of(R (C::*)(Args...));
template <class C, class R, class... Args>
Parameters<Args...> parameters_of(R (C::*)(Args...) const);
template <class C, class R, class... Args>
Parameters<Args...> parameters_of(R (C::*)(Args...) &);
template <class C, class R, class... Args>
Parameters<Args...> parameters_of(R (C::*)(Args...) const&);

// A pointer to a function, or an object with one plain operator().
template <class H>
concept CallOperator = requires {
  parameters_of(&H::operator());
};
template <class H>
concept FunctionPointer = requires(H handler) {
  parameters_of(handler);
};
template <class H>
concept Readable = CallOperator<H> || FunctionPointer<H>;

template <class H>
auto read_parameters() {
  if constexpr (CallOperator<H>) {
    return decltype(parameters_of(&H::operator())){};
  } else {
    return decltype(parameters_of(std::declval<H>())){};
  }
}

template <Readable H>
using ParametersOf = decltype(read_parameters<H>());

}  // namespace bulkhead::detail
