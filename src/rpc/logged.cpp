#include "rpc/logged.hpp"

#include <cstring>

namespace bulkhead::rpc {

static_assert(log_levels == spdlog::level::off);

std::optional<Logged> read_logged(const AppEnd::Message& message) {
  LogHead line;
  const auto body = message.body();
  std::memcpy(&line, body.data(), sizeof line);
  if (line.level >= log_levels) return std::nullopt;
  const auto text = body.subspan(sizeof line);
  return Logged{static_cast<spdlog::level::level_enum>(line.level),
                line.lost,
                {reinterpret_cast<const char*>(text.data()), text.size()}};
}

}  // namespace bulkhead::rpc
