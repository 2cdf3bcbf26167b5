#include "support/numbers.hpp"

#include <charconv>

namespace bulkhead::test {

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_one = error == std::errc() && end == text.data() + text.size();
  return is_one ? std::optional(value) : std::nullopt;
}

bool read_numbers(int argc, char** argv,
                  const std::map<std::string_view, std::uint64_t*>& numbers) {
  for (int at = 1; at < argc; at += 2) {
    const auto option = numbers.find(argv[at]);
    const auto value = at + 1 < argc ? to_number(argv[at + 1]) : std::nullopt;
    if (option == numbers.end() || !value) return false;
    *option->second = *value;
  }
  return true;
}

}  // namespace bulkhead::test
