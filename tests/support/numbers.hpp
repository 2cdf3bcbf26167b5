// Options of campaigns: `--name NUMBER`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace bulkhead::test {

std::optional<std::uint64_t> to_number(std::string_view text);

// Sets those that are there. False: one of them is unknown, or no number.
bool read_numbers(int argc, char** argv, const std::map<std::string_view, std::uint64_t*>& numbers);

}  // namespace bulkhead::test
