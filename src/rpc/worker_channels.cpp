// How ends of channels come to a worker, and go from it. The app makes all of their memory.
#include <string>
#include <system_error>

#include "bulkhead/detail/refused.hpp"
#include "bulkhead/error.hpp"
#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "platform/socket.hpp"
#include "rpc/channel.hpp"
#include "rpc/worker_blobs.hpp"

namespace bulkhead::rpc {

using detail::Side;

namespace {

Side other(Side side) { return side == Side::sender ? Side::receiver : Side::sender; }

[[noreturn]] void fail(int error) {
  const std::error_code code(error, std::generic_category());
  throw Error(errc::channel_closed,
              "an end of a channel could not be passed to or from the worker: " + code.message(),
              code);
}

Channel::Way way(const platform::Fd& memory, platform::Fd bell, const BlobPacket& packet,
                 std::size_t max_item) {
  return {ipc::ChannelMemory::adopt(memory, packet.bytes), std::move(bell), max_item};
}

}  // namespace

WorkerBlobs::Passed WorkerBlobs::ask_for_end(const BlobPacket& question) {
  const Lock lock(mutex_);
  spare_.reset();
  send(question);
  platform::fault_point("worker.end_needed");
  auto packet = platform::receive_packet(socket_, sizeof(BlobPacket), 2, true);
  spare_ = platform::try_duplicate(socket_);
  if (packet.io == platform::Io::end) platform::exit_now(0);
  const auto answer = BlobPacket::from(packet.bytes);
  if (!answer) throw detail::Refused("the app passed a channel in a way that no app does");
  if (answer->what != BlobPacket::end_given) fail(static_cast<int>(answer->index));
  if (packet.fds.size() != 2) fail(EMFILE);
  return {*answer, std::move(packet.fds[0]), std::move(packet.fds[1])};
}

std::shared_ptr<detail::ChannelEnd> WorkerBlobs::fetch_end(std::uint64_t id, Side side) {
  Passed passed = ask_for_end({.what = BlobPacket::need_end, .id = id});
  const auto channel = std::make_shared<Channel>(passed.packet.base);
  channel->move(other(side),
                way(passed.memory, std::move(passed.bell), passed.packet, max_message_));
  return std::make_shared<detail::ChannelEnd>(channel, side);
}

// The app is to have this end, so that the worker has the other of a new stretch.
BlobId WorkerBlobs::pass_end(const detail::ChannelEnd& end) {
  const Side side = other(end.side());
  Passed passed = ask_for_end({.what = BlobPacket::make_end,
                               .index = static_cast<std::uint32_t>(side),
                               .base = end.channel()->capacity()});
  end.channel()->move(end.side(),
                      way(passed.memory, std::move(passed.bell), passed.packet, max_message_));
  return passed.packet.id;
}

std::uint64_t WorkerBlobs::Call::attach_end(std::shared_ptr<detail::ChannelEnd> end) {
  sent_ends_.push_back(blobs_->pass_end(*end));
  return sent_ends_.back();
}

std::shared_ptr<detail::ChannelEnd> WorkerBlobs::Call::resolve_end(std::uint64_t id, Side side) {
  return blobs_->fetch_end(id, side);
}

}  // namespace bulkhead::rpc
