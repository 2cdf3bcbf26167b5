// What a worker's logger has sent.
#pragma once

#include <spdlog/common.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "rpc/app_end.hpp"

namespace bulkhead::rpc {

struct Logged {
  spdlog::level::level_enum level;
  std::uint64_t lost;     // lines before it
  std::string_view text;  // as it came: in the message
};

// Empty: no worker sends that.
std::optional<Logged> read_logged(const AppEnd::Message& message);

}  // namespace bulkhead::rpc
