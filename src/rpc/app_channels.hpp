// The channels of one connection, from the app's side: the ends that calls carry to its worker, and
// those that it asks for, to answer with. All of their memory is made here. Trusts nothing that the
// worker says, and never waits. Thread safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bulkhead/detail/call.hpp"
#include "platform/fd.hpp"
#include "rpc/blob_wire.hpp"
#include "rpc/channel.hpp"

namespace bulkhead::rpc {

class AppChannels final : public ChannelPeer, public std::enable_shared_from_this<AppChannels> {
 public:
  // What is to be done about a worker; on any thread, perhaps under locks.
  struct Trouble {
    std::function<void(std::string how)> violated;
    std::function<void()> hung_up;  // it closed a channel without a word
  };
  AppChannels(std::size_t max_message, Trouble trouble);

  // The worker may ask for the ends that the call carries.
  void offer(const detail::Call& call);

  // What it is to be answered.
  struct Answer {
    BlobPacket packet;
    platform::Fd memory = {}, bell = {};  // none: it is refused
  };
  // An end that a call carries.
  Answer need(BlobId id);
  // A new channel, of which the worker is to have one end; the other may be named by an answer.
  Answer make(std::uint32_t side, std::uint64_t capacity);
  // No answer names it.
  void forget(BlobId id);
  // The end that an answer names. Throws Refused.
  std::shared_ptr<detail::ChannelEnd> take(BlobId id, detail::Side side);

  // The worker is gone.
  void end(const Error& why);

  void channel_violated(const std::string& how) override;
  void channel_hung_up() override;

 private:
  struct Connected {
    std::weak_ptr<Channel> channel;
    detail::Side side;  // the worker's
  };
  Answer give(BlobId id, const std::shared_ptr<Channel>& channel, detail::Side side);
  void drop_expired();

  const std::size_t max_message_;
  const Trouble trouble_;

  std::mutex mutex_;
  // guarded by mutex_
  std::unordered_map<BlobId, std::weak_ptr<detail::ChannelEnd>> offered_;
  std::unordered_map<BlobId, std::shared_ptr<detail::ChannelEnd>> made_;
  std::vector<Connected> connected_;
  std::size_t look_at_ = 64;  // entries, when those that are over are dropped
  BlobId last_made_ = 0;
  bool ended_ = false, told_hung_up_ = false;
};

}  // namespace bulkhead::rpc
