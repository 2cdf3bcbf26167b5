// The format of the messages that an app and a worker exchange through their rings.
//
//   message  = head body                      split over as many frames as it needs
//   head     = id u64, ticket u64, slot u32, kind u16, request u16, size u64
//              in the first frame only
//   body     = `size` bytes
//
//   kind       way          id, ticket, slot   request     body
//   request    to worker    the call's         its index   the packed request
//   limited    to worker    as a request       its index   its limits (detail::Limits), then the
//                                                         packed request
//   leave      to worker    0                  0           empty: end when all before it is done
//   ready      to app       0, 0, how many     0           empty: it will take requests, and run
//                                                         so many of them at once, from 1
//   refused    to app       0                  0           text: why it will not
//   response   to app       as in its request  its index   the packed response
//   threw      to app       as in its request  its index   exception's type, 0, its what()
//   too_large  to app       as in its request  its index   the response's size in decimal
//   progress   to app       as in its request  its index   the packed value; before its answer, and
//                                                         only if its limits ask for it
//   logged     to app       as in its request  its index   its level and what was lost (LogHead),
//                           or 0: of no call               then a text
//   forget     to worker    a buffer's, 0, how       who made    empty: it is not to be used again
//                           often named         it          (blob_wire.hpp)
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bulkhead::rpc {

using CallId = std::uint64_t;  // from 1, never used twice by one owner
using Ticket = std::uint64_t;  // one giving of one call to one worker: from 1, never used twice
using Slot = std::uint32_t;

enum class Kind : std::uint16_t {
  request = 1,
  leave,
  ready,
  refused,
  response,
  threw,
  too_large,
  forget,
  limited,
  progress,
  logged
};

struct Head {
  CallId id = 0;
  Ticket ticket = 0;
  Slot slot = 0;
  Kind kind = Kind::request;
  std::uint16_t request = 0;
  std::uint64_t size = 0;
};
static_assert(sizeof(Head) == 32 && std::has_unique_object_representations_v<Head>);

// The state word of one call, shared by both sides. The app writes `queued`; the worker claims the
// call, or the app takes it back, by exchanging exactly that word: one of them wins. Any other word
// than the one that the app wrote counts as begun. The app makes `stopping` of `begun` when the
// handler is to be asked to stop.
namespace slot_word {
constexpr std::uint64_t free = 0;
constexpr std::uint64_t queued(Ticket ticket) { return ticket << 2 | 1; }
constexpr std::uint64_t begun(Ticket ticket) { return ticket << 2 | 2; }
constexpr std::uint64_t stopping(Ticket ticket) { return ticket << 2 | 3; }
constexpr bool is_begun(std::uint64_t word) { return (word & 3) == 2; }
constexpr std::uint64_t stopping_begun(std::uint64_t word) { return word | 3; }
}  // namespace slot_word

// Longer texts of exceptions are cut.
constexpr std::size_t max_exception_text = std::size_t{16} * 1024;

// In front of the text of a line for the log.
struct LogHead {
  std::uint64_t lost = 0;   // lines before it that were not sent
  std::uint32_t level = 0;  // as spdlog numbers them, below log_levels
  std::uint32_t none = 0;
};
static_assert(sizeof(LogHead) == 16 && std::has_unique_object_representations_v<LogHead>);
constexpr std::uint32_t log_levels = 6;  // from trace to critical
// Longer ones are cut.
constexpr std::size_t max_log_text = std::size_t{4} * 1024;

}  // namespace bulkhead::rpc
