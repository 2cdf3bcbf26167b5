#include "rpc/app_channels.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "bulkhead/detail/refused.hpp"
#include "platform/fault.hpp"
#include "platform/socket.hpp"

namespace bulkhead::rpc {

using detail::Side;

namespace {

// Of ends that a worker asked for, and that no answer has named yet.
constexpr std::size_t most_unnamed = 256;

Side other(Side side) { return side == Side::sender ? Side::receiver : Side::sender; }

AppChannels::Answer refusal(BlobId id, int error) {
  return {.packet = {
              .what = BlobPacket::refused, .index = static_cast<std::uint32_t>(error), .id = id}};
}

}  // namespace

AppChannels::AppChannels(std::size_t max_message, Trouble trouble)
    : max_message_(max_message), trouble_(std::move(trouble)) {}

void AppChannels::offer(const detail::Call& call) {
  const std::lock_guard lock(mutex_);
  for (const detail::CarriedEnd& carried : call.ends) {
    carried.end->offered_to = this;
    offered_[carried.id] = carried.end;
  }
  drop_expired();
}

void AppChannels::drop_expired() {
  if (offered_.size() + connected_.size() < look_at_) return;
  std::erase_if(offered_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(connected_, [](const Connected& entry) { return entry.channel.expired(); });
  look_at_ = std::max<std::size_t>(64, 2 * (offered_.size() + connected_.size()));
}

AppChannels::Answer AppChannels::need(BlobId id) {
  std::shared_ptr<detail::ChannelEnd> end;
  {
    const std::lock_guard lock(mutex_);
    const auto found = offered_.find(id);
    if (found == offered_.end()) return refusal(id, ENOENT);
    end = found->second.lock();
    offered_.erase(found);
  }
  // Its call may have been settled, or given to another worker.
  if (!end || end->offered_to != this) return refusal(id, ENOENT);
  return give(id, end->channel(), end->side());
}

AppChannels::Answer AppChannels::make(std::uint32_t side, std::uint64_t capacity) {
  if (side > static_cast<std::uint32_t>(Side::receiver) || capacity == 0) return refusal(0, EINVAL);
  const Side workers = static_cast<Side>(side);
  const auto channel = std::make_shared<Channel>(capacity);
  BlobId id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (made_.size() >= most_unnamed) return refusal(0, EMFILE);
    id = ++last_made_;
    made_[id] = std::make_shared<detail::ChannelEnd>(channel, other(workers));
  }
  Answer answer = give(id, channel, workers);
  if (!answer.memory) forget(id);
  return answer;
}

// The worker's side of it leads there from now on.
AppChannels::Answer AppChannels::give(BlobId id, const std::shared_ptr<Channel>& channel,
                                      Side side) try {
  if (const int error = platform::fault_errno("app.channel")) return refusal(id, error);
  const std::uint64_t ring = ipc::ChannelMemory::ring_bytes(channel->capacity());
  auto [memory, file] = ipc::ChannelMemory::make(ring);
  platform::SocketPair bell = platform::stream_pair();
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return refusal(id, ESRCH);
    connected_.push_back({channel, side});
  }
  if (!channel->move(side,
                     {std::move(memory), std::move(bell.ours), max_message_, shared_from_this()}))
    return refusal(id, ENOENT);
  return {{.what = BlobPacket::end_given,
           .index = static_cast<std::uint32_t>(side),
           .id = id,
           .bytes = ring,
           .base = channel->capacity()},
          std::move(file),
          std::move(bell.theirs)};
} catch (const std::system_error& error) {
  return refusal(id, error.code().value());
}

void AppChannels::forget(BlobId id) {
  std::shared_ptr<detail::ChannelEnd> end;  // closes after the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = made_.find(id); found != made_.end()) {
    end = std::move(found->second);
    made_.erase(found);
  }
}

std::shared_ptr<detail::ChannelEnd> AppChannels::take(BlobId id, Side side) {
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(id);
  if (found == made_.end() || found->second->side() != side)
    throw detail::Refused("it names an end of a channel that it does not have");
  auto end = std::move(found->second);
  made_.erase(found);
  return end;
}

void AppChannels::end(const Error& why) {
  std::vector<Connected> connected;
  std::unordered_map<BlobId, std::shared_ptr<detail::ChannelEnd>> made;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    connected.swap(connected_);
    made.swap(made_);
  }
  for (const auto& [channel, side] : connected)
    if (const auto there = channel.lock()) there->lose(side, why);
}

void AppChannels::channel_violated(const std::string& how) {
  trouble_.violated("in a channel " + how);
}

void AppChannels::channel_hung_up() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(told_hung_up_, true)) return;
  }
  trouble_.hung_up();
}

}  // namespace bulkhead::rpc
