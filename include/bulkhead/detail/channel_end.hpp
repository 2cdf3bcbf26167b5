// One end of a channel, seen from templates: items go in and come out packed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>

#include "bulkhead/detail/buffer.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/operation.hpp"

namespace bulkhead::rpc {

class Channel;

}  // namespace bulkhead::rpc

namespace bulkhead::detail {

enum class Side : std::uint8_t { sender, receiver };

// What asking for an item gives.
enum class Got : std::uint8_t { item, nothing, end };

// An asynchronous send or receive. Its channel fills it in, and then tells `pending`.
struct ChannelOperation {
  Buffer item = {};               // to be sent, or received
  Got got = Got::nothing;         // of a receive
  std::exception_ptr error = {};  // an Error, if it failed
  PendingOperation pending = {};
};

// The end that its owner has, in this process or on its way to another. For one thread at a time.
// Destroying it closes it, unless it has arrived elsewhere. Throws Error.
class BULKHEAD_API ChannelEnd {
 public:
  ChannelEnd(std::shared_ptr<rpc::Channel> channel, Side side);
  ~ChannelEnd();
  ChannelEnd(const ChannelEnd&) = delete;
  ChannelEnd& operator=(const ChannelEnd&) = delete;

  Side side() const { return side_; }
  const std::shared_ptr<rpc::Channel>& channel() const { return channel_; }

  // Take the item, or wait until they can. try_send leaves it where that is not so now.
  void send(Buffer& item) const;
  bool try_send(Buffer& item) const;
  // Replace what is in `item`. receive() waits, and is false at the end.
  bool receive(Buffer& item) const;
  // The same until a stop is requested: errc::cancelled then.
  void send(Buffer& item, const std::stop_token& stop) const;
  bool receive(Buffer& item, const std::stop_token& stop) const;
  Got try_receive(Buffer& item) const;
  // One at a time, until it is told.
  void begin(const std::shared_ptr<ChannelOperation>& operation) const;
  void cancel(const std::shared_ptr<ChannelOperation>& operation) const;
  // What came is no item: the channel is broken, and so is who wrote it.
  [[noreturn]] void refuse(const char* how) const;

  // It is on its way, and has arrived elsewhere; or is not going to arrive.
  bool is_gone() const;
  void abandon(const std::string& why) const;

  // The connection that it may arrive by.
  std::atomic<const void*> offered_to = nullptr;

 private:
  const std::shared_ptr<rpc::Channel> channel_;
  const Side side_;
};

struct ChannelEnds {
  std::shared_ptr<ChannelEnd> sender, receiver;
};
// Throws std::invalid_argument for no capacity.
BULKHEAD_API ChannelEnds make_channel(std::size_t capacity);

[[noreturn]] BULKHEAD_API void refuse_closed_end();
// Where nothing carries ends: they travel in requests and responses only.
[[noreturn]] BULKHEAD_API void refuse_to_carry_end();

// An end that a call carries, and what the packed request calls it.
struct CarriedEnd {
  std::uint64_t id;
  std::shared_ptr<ChannelEnd> end;
};

// Carries ends beside the message that is packed or unpacked.
class ChannelCarrier {
 public:
  // What the message is to call it; from 1.
  virtual std::uint64_t attach_end(std::shared_ptr<ChannelEnd> end) = 0;
  // Throws Refused for what was not passed.
  virtual std::shared_ptr<ChannelEnd> resolve_end(std::uint64_t id, Side side) = 0;

 protected:
  ~ChannelCarrier() = default;
};

}  // namespace bulkhead::detail
