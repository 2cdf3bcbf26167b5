// Events in words.
#include <array>

#include "bulkhead/event.hpp"

namespace bulkhead {

const char* to_string(EventKind kind) noexcept {
  constexpr std::array names{"started",  "ready",   "call_settled", "crashed",
                             "recycled", "stopped", "suspect",      "recovered",
                             "broken",   "healed",  "output"};
  const auto index = static_cast<std::size_t>(kind);
  return index < names.size() ? names[index] : "unknown";
}

}  // namespace bulkhead
