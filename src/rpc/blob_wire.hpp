// How the two sides come by each other's buffers, and by channels. Each buffer has a number from
// its maker, and is passed as a descriptor over a packet socket of the connection's own, once;
// messages then only name it.
//
//   packet     way        id        bytes   index      base       descriptor
//   made       to app     its own   all     its word   sent yet   the memory: before its first
//                                                                 message
//   made_once  to app     the same, of memory that is not used again
//   gone       to app     its own   0       0          0          none: it is no longer there
//   need       to app     the app's 0       0          0          none: a message named it, and it
//                                                                 is not known
//   given      to worker  the app's all     0          0          the memory
//   refused    to worker  the app's 0       errno      0          none: there is no such, or
//   nothing
//                                                                 left to pass it with
//   need_end   to app     the app's 0       0          0          none: a message named that end of
//   a
//                                                                 channel
//   make_end   to app     0         0       its own    capacity   none: it wants a channel, of
//   which
//                                           side                  it has that side
//   end_gone   to app     the app's 0       0          0          none: no answer names that end
//   end_given  to worker  the app's ring's  its side   capacity   the channel's memory, its
//   doorbell
//
// What the app made it gives when it is asked, so that it never waits. What the worker made comes
// before the message that names it. The app is done with one sending of it when the last owner lets
// go: it then stores how many sendings it has seen in the buffer's word (Segment::releases), and
// when that is how many there were the worker may write again. Either side's buffer that is not to
// be used again is said so by a message of kind `forget` through the ring.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace bulkhead::rpc {

using BlobId = std::uint64_t;  // from 1, never used twice by one side of one connection

struct BlobPacket {
  enum What : std::uint32_t {
    made = 1,
    made_once,
    gone,
    need,
    given,
    refused,
    need_end,
    make_end,
    end_gone,
    end_given
  };

  What what = made;
  std::uint32_t index = 0;
  BlobId id = 0;
  std::uint64_t bytes = 0;
  std::uint64_t base = 0;

  std::span<const std::byte> raw() const { return std::as_bytes(std::span(this, 1)); }
  static std::optional<BlobPacket> from(std::span<const std::byte> raw) {
    BlobPacket packet;
    if (raw.size() != sizeof packet) return std::nullopt;
    std::memcpy(&packet, raw.data(), sizeof packet);
    return packet;
  }
};
static_assert(std::has_unique_object_representations_v<BlobPacket>);

}  // namespace bulkhead::rpc
