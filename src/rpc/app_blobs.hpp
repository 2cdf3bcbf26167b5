// The buffers of one connection, from the app's side: those that its worker was given, and those
// that it made. Trusts nothing that the worker says of them, and never waits. Thread safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bulkhead/detail/call.hpp"
#include "ipc/shared_bytes.hpp"
#include "platform/socket.hpp"
#include "rpc/app_channels.hpp"
#include "rpc/blob_wire.hpp"

namespace bulkhead::rpc {

template <class Blobs>
class MadeBytes;

class AppBlobs final : public ipc::BytesHolder, public std::enable_shared_from_this<AppBlobs> {
 public:
  using Releases = std::span<std::atomic<std::uint32_t>>;
  // `ring` is called, from any thread, when there is something to forget().
  AppBlobs(platform::Fd socket, Releases releases, const BytesLimits& limits,
           std::size_t max_message, std::function<void()> ring);

  // Before it is used: from now on ends of channels go the same way.
  void carry(std::shared_ptr<AppChannels> channels) { channels_ = std::move(channels); }

  const platform::Fd& socket() const { return socket_; }

  // A buffer in memory that the worker has already. Empty: there is none of such a size.
  std::optional<MutableBytes> take(std::size_t size);
  // Gives all kept memory back.
  void drop_kept();

  // Writes into the packed request what the worker is to know its attachments by.
  void give(detail::Call& call);

  // Hears what the worker sends over the socket; it does so in turns.
  enum class Heard { all, closed, violation };
  Heard receive();
  const std::string& violation() const { return violation_; }

  // What the worker is to be told that it shall forget.
  struct Forgotten {
    detail::BytesHandle::Maker maker;
    BlobId id;
    std::uint32_t received;  // how often messages named it, if the worker made it
  };
  std::vector<Forgotten> take_forgotten();

  // The connection ends: its segment is about to be unmapped.
  void disconnect();

  // Unpacks an answer to `call`, which may name what that call carried, and what the worker made.
  class Answer final : public detail::BytesCarrier, private detail::ChannelCarrier {
   public:
    Answer(AppBlobs& blobs, const detail::Call& call) : blobs_(blobs), call_(call) {}
    std::optional<detail::BytesHandle> attach(const Bytes&, std::size_t) override;
    MutableBytes make_block(std::size_t) override { return {}; }
    Bytes resolve(const detail::BytesHandle& handle) override;
    Bytes resolve_block(const detail::BytesHandle& handle) override;
    detail::ChannelCarrier* channels() override { return blobs_.channels_ ? this : nullptr; }

   private:
    std::uint64_t attach_end(std::shared_ptr<detail::ChannelEnd> end) override;
    std::shared_ptr<detail::ChannelEnd> resolve_end(std::uint64_t id, detail::Side side) override;

    AppBlobs& blobs_;
    const detail::Call& call_;
    std::vector<BlobId> blocks_;
    std::size_t beside_ = 0;  // bytes in these
  };

  bool keep(const ipc::SharedBytes& bytes) noexcept override;
  void let_go(const ipc::SharedBytes& bytes) noexcept override;

 private:
  struct Given {
    std::weak_ptr<const detail::BytesMemory> bytes = {};  // expired: kept for reuse
    const detail::BytesMemory* memory = nullptr;          // of these
    std::shared_ptr<ipc::Blob> blob = {};                 // null: it is a copy still to be made
    bool is_copy = false;
  };
  struct Kept {
    BlobId id;
    std::shared_ptr<ipc::Blob> blob;
  };
  struct Made {
    std::shared_ptr<ipc::Blob> blob = {};  // null: it could not be had
    std::string why_not = {};
    int error = 0;
    std::size_t capacity = 0;
    std::uint32_t index = 0;
    std::uint32_t received = 0;  // how often messages named it
    std::size_t uses = 0;        // SharedBytes of it
    bool idle = false;           // the worker may use it again
    bool once = false;           // it is not to be used again
  };
  friend class MadeBytes<AppBlobs>;
  using Lock = std::unique_lock<std::mutex>;

  BlobId give_one(const std::shared_ptr<const detail::BytesMemory>& memory);
  Bytes resolve_given(const detail::Call& call, const detail::BytesHandle& handle);
  Bytes resolve_made(const detail::BytesHandle& handle);
  const char* handle_packet(const BlobPacket& packet, std::vector<platform::Fd> fds);
  const char* take_made(const BlobPacket& packet, std::vector<platform::Fd> fds);
  void take_gone(BlobId id);
  bool answer_need(BlobId id);
  const char* handle_end(const BlobPacket& packet);
  std::shared_ptr<ipc::Blob> blob_to_give(BlobId id);
  bool send(const BlobPacket& packet, std::span<const int> fds = {});
  void done_with(BlobId id, bool passed_on) noexcept;
  bool release(BlobId id, Made& made);
  bool forget_given(BlobId id);
  void tell(bool anything) noexcept;

  const platform::HomeProcess home_;
  const platform::Fd socket_;
  const BytesLimits limits_;
  const std::size_t max_message_;
  const std::function<void()> ring_;
  std::shared_ptr<AppChannels> channels_;  // null: none goes this way; synchronizes itself

  std::mutex receiving_;   // held for a turn at the socket; taken before mutex_
  std::string violation_;  // guarded by receiving_ until it is set

  // Nothing that ends a use of Bytes may happen under it.
  std::mutex mutex_;
  // guarded by mutex_
  Releases releases_;  // empty once disconnected
  std::unordered_map<BlobId, Given> given_;
  std::unordered_map<const detail::BytesMemory*, BlobId> ids_;
  std::deque<Kept> kept_;  // the latest last
  std::size_t kept_bytes_ = 0;
  std::unordered_map<BlobId, Made> made_;
  std::size_t made_bytes_ = 0, idle_bytes_ = 0;
  std::vector<Forgotten> forgotten_;
  BlobId last_given_ = 0;
};

}  // namespace bulkhead::rpc
