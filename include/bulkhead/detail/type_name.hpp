#pragma once

#include <cstddef>
#include <string_view>

namespace bulkhead::detail {

template <class T>
constexpr std::string_view spelled_by_compiler() {
  return __PRETTY_FUNCTION__;
}

// The name of T with all its scopes, as the compiler spells it.
template <class T>
constexpr std::string_view full_type_name() {
  constexpr std::string_view sample = spelled_by_compiler<double>();
  constexpr std::size_t before = sample.find("double");
  constexpr std::size_t after = sample.size() - before - std::string_view("double").size();
  constexpr std::string_view spelled = spelled_by_compiler<T>();
  return spelled.substr(before, spelled.size() - before - after);
}

// The last part of a scoped name. What stands in brackets is no scope of the type:
// template arguments, parameters of an enclosing function, "(anonymous namespace)".
constexpr std::string_view without_scopes(std::string_view name) {
  std::size_t start = 0;
  int brackets = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view at = name.substr(i, 1);
    if (std::string_view("<({[").find(at) != at.npos) ++brackets;
    if (std::string_view(">)}]").find(at) != at.npos) --brackets;
    if (brackets == 0 && name.substr(i, 2) == "::") start = i + 2;
  }
  return name.substr(start);
}

// The name of T without namespaces, enclosing classes and functions; template arguments keep
// theirs.
template <class T>
constexpr std::string_view type_name() {
  return without_scopes(full_type_name<T>());
}

}  // namespace bulkhead::detail
