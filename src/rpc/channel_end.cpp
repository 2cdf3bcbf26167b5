#include "bulkhead/detail/channel_end.hpp"

#include <stdexcept>

#include "platform/log.hpp"
#include "rpc/channel.hpp"

namespace bulkhead::detail {

namespace {

// Where nobody hears of what goes wrong: a pump that cannot be started, as a rule.
template <class Work>
void or_log(Work work) noexcept {
  try {
    work();
  } catch (const std::exception& error) {
    platform::logger()->error("A channel could not be closed: {}", error.what());
  }
}

}  // namespace

ChannelEnd::ChannelEnd(std::shared_ptr<rpc::Channel> channel, Side side)
    : channel_(std::move(channel)), side_(side) {}

ChannelEnd::~ChannelEnd() {
  or_log([this] { channel_->close(side_); });
}

void ChannelEnd::send(Buffer& item) const { channel_->send(item); }
bool ChannelEnd::try_send(Buffer& item) const { return channel_->try_send(item); }
bool ChannelEnd::receive(Buffer& item) const { return channel_->receive(item); }
Got ChannelEnd::try_receive(Buffer& item) const { return channel_->try_receive(item); }
void ChannelEnd::refuse(const char* how) const { channel_->refuse(how); }

void ChannelEnd::begin(const std::shared_ptr<ChannelOperation>& operation) const {
  channel_->begin(side_, operation);
}

void ChannelEnd::cancel(const std::shared_ptr<ChannelOperation>& operation) const {
  or_log([&] { channel_->cancel(side_, operation); });
}

void ChannelEnd::abandon(const std::string& why) const {
  or_log([&] {
    channel_->abandon(
        side_, Error(errc::channel_closed, "the other end of the channel did not arrive: " + why));
  });
}

bool ChannelEnd::is_gone() const { return channel_->away(side_); }

ChannelEnds make_channel(std::size_t capacity) {
  if (capacity == 0) throw std::invalid_argument("the capacity of a channel must not be 0");
  const auto channel = std::make_shared<rpc::Channel>(capacity);
  return {std::make_shared<ChannelEnd>(channel, Side::sender),
          std::make_shared<ChannelEnd>(channel, Side::receiver)};
}

void refuse_closed_end() {
  throw Error(errc::channel_closed,
              "this end of the channel is closed: it was sent on, moved from or never made");
}

void refuse_to_carry_end() {
  throw Error(errc::codec_failed, "an end of a channel travels in requests and responses only");
}

}  // namespace bulkhead::detail
