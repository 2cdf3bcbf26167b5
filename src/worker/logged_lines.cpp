#include "worker/logged_lines.hpp"

#include "platform/log.hpp"
#include "process/output.hpp"

namespace bulkhead::worker {

void log_line(const std::string& worker, spdlog::level::level_enum level, std::uint64_t call,
              std::string_view text) {
  const auto logger = platform::logger();
  if (call == 0)
    logger->log(level, "{}: {}", worker, process::printable(text));
  else
    logger->log(level, "{}, call {}: {}", worker, call, process::printable(text));
}

}  // namespace bulkhead::worker
