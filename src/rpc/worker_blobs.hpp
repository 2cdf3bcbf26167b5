// The buffers of one connection, from the worker's side: those that its calls carry, and those that
// its handlers make. Trusts the app. Thread safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "bulkhead/detail/channel_end.hpp"
#include "ipc/shared_bytes.hpp"
#include "platform/fd.hpp"
#include "rpc/blob_wire.hpp"

namespace bulkhead::rpc {

template <class Blobs>
class MadeBytes;

class WorkerBlobs final : public ipc::BytesHolder,
                          public std::enable_shared_from_this<WorkerBlobs> {
 public:
  using Releases = std::span<std::atomic<std::uint32_t>>;
  WorkerBlobs(platform::Fd socket, Releases releases, const BytesLimits& limits,
              std::size_t max_message);

  // The app said so; of those made here it has been named so many times.
  void forget(detail::BytesHandle::Maker maker, BlobId id, std::uint32_t received);

  // What one call carries there and back. For the thread that runs it.
  class Call;

  bool keep(const ipc::SharedBytes&) noexcept override { return false; }
  void let_go(const ipc::SharedBytes& bytes) noexcept override;

 private:
  class GivenBytes;
  friend class MadeBytes<WorkerBlobs>;
  struct Given {
    std::shared_ptr<ipc::Blob> blob = {};
    std::weak_ptr<GivenBytes> bytes = {};
    std::size_t calls = 0;  // that use them now
  };
  struct Made {
    std::shared_ptr<ipc::Blob> blob = {};
    std::weak_ptr<const detail::BytesMemory> bytes = {};  // its present use
    std::uint32_t index = 0;
    std::uint32_t sent = 0;  // how often messages named it
    std::size_t uses = 0;
    bool passed = false;  // the app has it
    bool once = false;    // it is not to be used again
    const detail::BytesMemory* foreign = nullptr;
  };
  using Lock = std::unique_lock<std::mutex>;
  using MadeMap = std::unordered_map<BlobId, Made>;

  MutableBytes make(std::size_t size);
  std::shared_ptr<detail::BytesMemory> use(BlobId id, Made& made);
  MadeMap::iterator find_idle(std::size_t size);
  MadeMap::iterator add(std::shared_ptr<ipc::Blob> blob);
  bool make_room(std::size_t bytes);
  bool is_idle(const Made& made) const;
  void drop(MadeMap::iterator made);
  void drop_idle();
  void done_with(BlobId id, bool passed_on) noexcept;
  std::optional<BlobId> id_of(const std::shared_ptr<const detail::BytesMemory>& memory);
  BlobId send_made(BlobId id);
  Given& fetch(BlobId id);
  void send(const BlobPacket& packet, int fd = -1);

  // Ends of channels (worker_channels.cpp).
  struct Passed {
    BlobPacket packet;
    platform::Fd memory, bell;
  };
  Passed ask_for_end(const BlobPacket& question);
  std::shared_ptr<detail::ChannelEnd> fetch_end(std::uint64_t id, detail::Side side);
  BlobId pass_end(const detail::ChannelEnd& end);

  const platform::HomeProcess home_;
  const platform::Fd socket_;
  const Releases releases_;
  const BytesLimits limits_;
  const std::size_t max_message_;

  // Nothing that ends a use of Bytes may happen under it.
  std::mutex mutex_;
  // guarded by mutex_
  platform::Fd spare_;  // a descriptor that is kept for receiving one
  std::unordered_map<BlobId, Given> given_;
  MadeMap made_;
  std::unordered_map<const detail::BytesMemory*, BlobId> foreign_;  // made by others, and passed on
  std::vector<std::uint32_t> free_indices_;
  std::size_t bytes_ = 0;  // of all in made_
  BlobId last_made_ = 0;
};

class WorkerBlobs::Call final : public detail::HandlerBytes, private detail::ChannelCarrier {
 public:
  // `blobs` may be null: then nothing is carried beside messages.
  explicit Call(WorkerBlobs* blobs) : blobs_(blobs) {}
  ~Call() override { abandon(); }

  std::optional<detail::BytesHandle> attach(const Bytes& bytes, std::size_t at) override;
  Bytes resolve(const detail::BytesHandle& handle) override;
  MutableBytes make_bytes(std::size_t size) override;
  MutableBytes make_block(std::size_t size) override;
  Bytes resolve_block(const detail::BytesHandle& handle) override { return resolve(handle); }
  detail::ChannelCarrier* channels() override { return blobs_ ? this : nullptr; }
  // Bytes of the answer's blocks.
  std::size_t beside() const { return beside_; }

  // Before it is answered: what the handler has kept of its request becomes a copy, for the app may
  // write there again then. Throws BytesExhausted.
  void finish();
  // The answer that was packed is not sent.
  void recall();
  // The answer that was packed is about to be sent.
  void answered() {
    sent_.clear();
    sent_ends_.clear();
  }
  // Both, when there is only a failure to be told.
  void abandon() noexcept;

 private:
  std::uint64_t attach_end(std::shared_ptr<detail::ChannelEnd> end) override;
  std::shared_ptr<detail::ChannelEnd> resolve_end(std::uint64_t id, detail::Side side) override;

  WorkerBlobs* const blobs_;
  std::vector<std::shared_ptr<GivenBytes>> used_;
  std::vector<BlobId> sent_, sent_ends_;
  std::size_t blocks_ = 0, beside_ = 0;
};

}  // namespace bulkhead::rpc
