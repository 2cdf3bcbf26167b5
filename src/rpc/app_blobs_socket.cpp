// How the app hears of its worker's buffers, and passes its own.
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "ipc/segment.hpp"
#include "platform/fault.hpp"
#include "platform/memory_file.hpp"
#include "rpc/app_blobs.hpp"

namespace bulkhead::rpc {

namespace {

// More than a socket holds: what the worker passed before its message is among these.
constexpr int packets_in_a_turn = 1024;

}  // namespace

AppBlobs::Heard AppBlobs::receive() {
  const std::lock_guard turn(receiving_);
  for (int packets = 0; packets < packets_in_a_turn && violation_.empty(); ++packets) {
    try {
      auto packet = platform::receive_packet(socket_, sizeof(BlobPacket), 1);
      if (packet.io == platform::Io::would_block) return Heard::all;
      if (packet.io == platform::Io::end) return Heard::closed;
      const auto said = BlobPacket::from(packet.bytes);
      const char* const fault = said ? handle_packet(*said, std::move(packet.fds))
                                     : "it passed bytes in a way that no worker does";
      if (fault != nullptr) violation_ = fault;
    } catch (const std::system_error&) {
      violation_ = "it passed bytes in a way that no worker does";
    }
  }
  return violation_.empty() ? Heard::all : Heard::violation;
}

const char* AppBlobs::handle_packet(const BlobPacket& packet, std::vector<platform::Fd> fds) {
  switch (packet.what) {
    case BlobPacket::made:
    case BlobPacket::made_once:
      return take_made(packet, std::move(fds));
    case BlobPacket::gone:
      take_gone(packet.id);
      return nullptr;
    case BlobPacket::need:
      return answer_need(packet.id) ? nullptr : "it asks for bytes, and does not take them";
    case BlobPacket::need_end:
    case BlobPacket::make_end:
    case BlobPacket::end_gone:
      if (channels_) return handle_end(packet);
      [[fallthrough]];
    case BlobPacket::given:
    case BlobPacket::refused:
    case BlobPacket::end_given:
    default:
      return "it passed bytes in a way that no worker does";
  }
}

const char* AppBlobs::handle_end(const BlobPacket& packet) {
  if (packet.what == BlobPacket::end_gone) return channels_->forget(packet.id), nullptr;
  const auto answer = packet.what == BlobPacket::need_end
                          ? channels_->need(packet.id)
                          : channels_->make(packet.index, packet.base);
  const std::array fds{answer.memory.get(), answer.bell.get()};
  return send(answer.packet, std::span(fds).first(answer.memory ? 2 : 0))
             ? nullptr
             : "it asks for an end of a channel, and does not take it";
}

const char* AppBlobs::take_made(const BlobPacket& packet, std::vector<platform::Fd> fds) {
  {
    const std::lock_guard lock(mutex_);
    if (made_.contains(packet.id)) return "it passed bytes under a number that is in use";
    if (packet.index >= ipc::Segment::buffers || made_.size() >= ipc::Segment::buffers)
      return "it passed more buffers than it can have";
    if (packet.bytes == 0 || packet.bytes > limits_.alive - made_bytes_)
      return "it passed more bytes than BytesLimits::alive allows";
  }
  Made made{.capacity = packet.bytes,
            .index = packet.index,
            .received = static_cast<std::uint32_t>(packet.base),
            .once = packet.what == BlobPacket::made_once};
  if (fds.empty()) {
    made.error = EMFILE;
    made.why_not = "this process has too many open files to take the bytes of an answer";
  } else if (!platform::is_sealed_memory(fds.front(), packet.bytes)) {
    return "it passed bytes that are no sealed memory of their size";
  } else {
    platform::fault_point("app.before_mapping");
    try {
      made.blob = ipc::Blob::adopt(std::move(fds.front()), packet.bytes);
    } catch (const BytesExhausted& exhausted) {
      made.error = exhausted.error();
      made.why_not = exhausted.what();
    }
  }
  const std::lock_guard lock(mutex_);
  made_bytes_ += packet.bytes;
  made_.emplace(packet.id, std::move(made));
  return nullptr;
}

// The uses that there still are go on: theirs is the mapping.
void AppBlobs::take_gone(BlobId id) {
  std::shared_ptr<ipc::Blob> blob;  // unmapped after the lock is let go
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(id);
  if (found == made_.end()) return;
  blob = std::move(found->second.blob);
  made_bytes_ -= found->second.capacity;
  if (found->second.idle) idle_bytes_ -= found->second.capacity;
  made_.erase(found);
}

// It waits for this answer only, so that there is room.
bool AppBlobs::answer_need(BlobId id) {
  platform::fault_point("app.before_giving");
  BlobPacket answer{.what = BlobPacket::given, .id = id};
  std::shared_ptr<ipc::Blob> blob;
  try {
    blob = blob_to_give(id);
    if (blob) answer.bytes = blob->capacity();
    if (blob) return send(answer, std::array{blob->file().get()});
    answer.index = ENOENT;
  } catch (const BytesExhausted& exhausted) {
    answer.index = static_cast<std::uint32_t>(exhausted.error());
  } catch (const std::system_error& error) {
    answer.index = static_cast<std::uint32_t>(error.code().value());
  }
  answer.what = BlobPacket::refused;
  answer.bytes = 0;
  return send(answer);
}

bool AppBlobs::send(const BlobPacket& packet, std::span<const int> fds) {
  return platform::send_packet(socket_, packet.raw(), fds) != platform::Sent::would_block;
}

// Null when it is no longer there. Copies what another worker would see in future.
std::shared_ptr<ipc::Blob> AppBlobs::blob_to_give(BlobId id) {
  std::shared_ptr<const detail::BytesMemory> bytes;
  {
    const std::lock_guard lock(mutex_);
    const auto found = given_.find(id);
    if (found == given_.end() || found->second.blob)
      return found == given_.end() ? nullptr : found->second.blob;
    bytes = found->second.bytes.lock();
  }
  if (!bytes) return nullptr;
  auto copy = ipc::Blob::make(bytes->capacity);
  std::memcpy(copy->data(), bytes->data, bytes->capacity);
  const std::lock_guard lock(mutex_);
  if (const auto found = given_.find(id); found != given_.end()) found->second.blob = copy;
  return copy;
}

}  // namespace bulkhead::rpc
