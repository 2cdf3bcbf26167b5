// How the two ends of a channel stand, as one process sees it: where each is, and whether it has
// ended. Rules without I/O, threads or locks. The first cause of an end is the one that is told.
//
//            moved                          an end that was moved is closed by whoever has it, and
//   here ──────────▶ away                   lost with the process that has it; one that is here and
//     │               │                     is lost was on its way to another process
//     └── close, lose ┴──▶ closed, lost
#pragma once

#include <optional>
#include <utility>

#include "bulkhead/detail/channel_end.hpp"
#include "bulkhead/error.hpp"

namespace bulkhead::rpc {

class ChannelState {
 public:
  using Side = detail::Side;

  bool away(Side side) const { return end(side).away; }
  bool open(Side side) const { return end(side).how == How::open; }
  bool closed(Side side) const { return end(side).how == How::closed; }

  // False: it is not here to be moved.
  bool move(Side side) {
    if (away(side) || !open(side)) return false;
    end(side).away = true;
    return true;
  }
  void close(Side side) {
    if (open(side)) end(side).how = How::closed;
  }
  void lose(Side side, const Error& why) {
    if (!open(side)) return;
    end(side).how = How::lost;
    end(side).why = why;
  }

  // Why nothing can be sent, if so.
  std::optional<Error> send_error() const {
    if (open(Side::receiver)) return std::nullopt;
    if (!closed(Side::receiver)) return receiver_.why;
    return Error(errc::channel_closed, "the channel's receiver was dropped");
  }
  // What a receiver is to hear that has taken everything.
  struct Left {
    detail::Got got = detail::Got::nothing;  // or the end
    std::optional<Error> error = {};
  };
  Left what_is_left() const {
    if (open(Side::sender)) return {};
    if (closed(Side::sender)) return {.got = detail::Got::end};
    return {.error = sender_.why};
  }

 private:
  enum class How { open, closed, lost };
  struct End {
    bool away = false;
    How how = How::open;
    std::optional<Error> why = {};  // if it was lost
  };
  End& end(Side side) { return side == Side::sender ? sender_ : receiver_; }
  const End& end(Side side) const { return side == Side::sender ? sender_ : receiver_; }

  End sender_, receiver_;
};

}  // namespace bulkhead::rpc
