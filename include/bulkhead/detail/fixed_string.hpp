#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace bulkhead {

// A string literal as a template argument: Service<"thumbnailer", ...>.
template <std::size_t Size>
struct fixed_string {
  constexpr fixed_string(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }
  constexpr std::string_view view() const { return {text, Size - 1}; }

  char text[Size] = {};
};

}  // namespace bulkhead
