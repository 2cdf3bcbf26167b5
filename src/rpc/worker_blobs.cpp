#include "rpc/worker_blobs.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>

#include "bulkhead/detail/refused.hpp"
#include "platform/fault.hpp"
#include "platform/proc.hpp"
#include "platform/socket.hpp"
#include "rpc/made_bytes.hpp"

namespace bulkhead::rpc {

using detail::BytesHandle;

// Each takes a descriptor in the app while it is read.
constexpr std::size_t most_blocks = 16;

// Of a request: the app may write there again when all calls that carry them are answered.
class WorkerBlobs::GivenBytes final : public ipc::SharedBytes {
 public:
  GivenBytes(std::shared_ptr<ipc::Blob> blob, BlobId id) : SharedBytes(std::move(blob)), id_(id) {}
  ~GivenBytes() override { end(); }
  bool seen_besides(const BytesHolder&) const override { return true; }
  BlobId id() const { return id_; }

 private:
  const BlobId id_;
};

WorkerBlobs::WorkerBlobs(platform::Fd socket, Releases releases, const BytesLimits& limits,
                         std::size_t max_message)
    : socket_(std::move(socket)),
      releases_(releases),
      limits_(limits),
      max_message_(max_message),
      spare_(platform::try_duplicate(socket_)) {
  for (std::size_t index = releases_.size(); index > 0; --index)
    free_indices_.push_back(static_cast<std::uint32_t>(index - 1));
}

// Without an app there is nobody to work for.
void WorkerBlobs::send(const BlobPacket& packet, int fd) {
  const std::size_t count = fd < 0 ? 0 : 1;
  if (platform::send_packet(socket_, packet.raw(), {&fd, count}, true) == platform::Sent::gone)
    platform::exit_now(0);
}

// ------------------------------------------------------------ what the app gave

// There is a descriptor for it even where handlers have taken all that they could get.
WorkerBlobs::Given& WorkerBlobs::fetch(BlobId id) {
  spare_.reset();
  send({.what = BlobPacket::need, .id = id});
  platform::fault_point("worker.bytes_needed");
  auto packet = platform::receive_packet(socket_, sizeof(BlobPacket), 1, true);
  if (packet.io == platform::Io::end) platform::exit_now(0);
  const auto answer = BlobPacket::from(packet.bytes);
  if (!answer) throw detail::Refused("the app passed bytes in a way that no app does");
  if (answer->what == BlobPacket::refused) {
    const int error = static_cast<int>(answer->index);
    throw BytesExhausted("the app could not pass bytes: " +
                             std::error_code(error, std::generic_category()).message(),
                         error);
  }
  if (packet.fds.empty())
    throw BytesExhausted("the worker has too many open files to be passed bytes", EMFILE);
  Given given{.blob = ipc::Blob::adopt(std::move(packet.fds.front()), answer->bytes)};
  given.blob->close_file();
  spare_ = platform::try_duplicate(socket_);
  return given_.insert_or_assign(id, std::move(given)).first->second;
}

// A mapping that calls or handlers still use stays as it is, for nobody writes there any more.
void WorkerBlobs::forget(BytesHandle::Maker maker, BlobId id, std::uint32_t received) {
  std::shared_ptr<ipc::Blob> blob;  // unmapped after the lock is let go
  const std::lock_guard lock(mutex_);
  if (maker == BytesHandle::app) {
    const auto found = given_.find(id);
    if (found == given_.end()) return;
    blob = std::move(found->second.blob);
    given_.erase(found);
  } else if (const auto found = made_.find(id); found != made_.end()) {
    found->second.once = true;
    releases_[found->second.index].store(received, std::memory_order_release);
    if (is_idle(found->second)) drop(found);
  }
}

// ------------------------------------------------------------ what handlers make

bool WorkerBlobs::is_idle(const Made& made) const {
  const bool used_here = made.uses != 0 || (made.foreign && !made.bytes.expired());
  return !used_here && releases_[made.index].load(std::memory_order_acquire) == made.sent;
}

WorkerBlobs::MadeMap::iterator WorkerBlobs::find_idle(std::size_t size) {
  return std::find_if(made_.begin(), made_.end(), [&](const auto& entry) {
    const Made& made = entry.second;
    return !made.once && made.blob->fits(size) && is_idle(made);
  });
}

MutableBytes WorkerBlobs::make(std::size_t size) {
  const Lock lock(mutex_);
  auto found = find_idle(size);
  if (found == made_.end()) {
    if (!make_room(ipc::Blob::capacity_for(size)))
      throw BytesExhausted("a buffer of " + std::to_string(size) +
                           " bytes would exceed what a worker may have (BytesLimits)");
    found = add(ipc::Blob::make(size));
  }
  return {use(found->first, found->second), size};
}

std::shared_ptr<detail::BytesMemory> WorkerBlobs::use(BlobId id, Made& made) {
  auto bytes = std::make_shared<MadeBytes<WorkerBlobs>>(made.blob, weak_from_this(), id);
  made.bytes = bytes;
  ++made.uses;
  return bytes;
}

WorkerBlobs::MadeMap::iterator WorkerBlobs::add(std::shared_ptr<ipc::Blob> blob) {
  const std::uint32_t index = free_indices_.back();
  free_indices_.pop_back();
  bytes_ += blob->capacity();
  const std::uint32_t base = releases_[index].load(std::memory_order_acquire);
  return made_
      .try_emplace(++last_made_, Made{.blob = std::move(blob), .index = index, .sent = base})
      .first;
}

// False when there can be no more of so many bytes.
bool WorkerBlobs::make_room(std::size_t bytes) {
  const auto has_room = [&] {
    return bytes <= limits_.alive && bytes_ <= limits_.alive - bytes && !free_indices_.empty();
  };
  if (!has_room()) drop_idle();
  return has_room();
}

void WorkerBlobs::drop_idle() {
  for (auto at = made_.begin(); at != made_.end();) {
    const auto made = at++;
    if (is_idle(made->second)) drop(made);
  }
}

void WorkerBlobs::drop(MadeMap::iterator at) {
  const Made& made = at->second;
  if (made.passed) send({.what = BlobPacket::gone, .id = at->first});
  if (made.foreign) foreign_.erase(made.foreign);
  bytes_ -= made.blob->capacity();
  free_indices_.push_back(made.index);
  made_.erase(at);
}

// What the app has is kept or not as the app says.
void WorkerBlobs::done_with(BlobId id, bool passed_on) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(id);
  if (found == made_.end()) return;
  Made& made = found->second;
  made.once |= passed_on;
  if (--made.uses != 0) return;
  if ((made.once || !made.passed) && is_idle(made) && (made.once || bytes_ > limits_.kept))
    drop(found);
}

// The app has its own mapping.
void WorkerBlobs::let_go(const ipc::SharedBytes& bytes) noexcept {
  if (!home_.here()) return;
  const std::lock_guard lock(mutex_);
  const auto entry = foreign_.find(&bytes);
  if (entry == foreign_.end()) return;
  const auto found = made_.find(entry->second);
  foreign_.erase(entry);
  found->second.foreign = nullptr;
  found->second.bytes.reset();
  if (is_idle(found->second)) drop(found);
}

// ------------------------------------------------------------ answers

// What the app is to call them; empty: they have to travel in the message.
std::optional<BlobId> WorkerBlobs::id_of(const std::shared_ptr<const detail::BytesMemory>& memory) {
  const auto& bytes = static_cast<const ipc::SharedBytes&>(*memory);
  if (const BlobId id = bytes.id_at_maker(*this)) return id;
  if (const auto found = foreign_.find(&bytes); found != foreign_.end()) return found->second;
  if (bytes.must_be_copied_for(*this) || !make_room(bytes.capacity)) return std::nullopt;
  const auto added = add(bytes.blob());
  added->second.once = true;
  added->second.foreign = &bytes;
  added->second.bytes = memory;
  foreign_[&bytes] = added->first;
  bytes.passed_to(weak_from_this());
  return added->first;
}

BlobId WorkerBlobs::send_made(BlobId id) {
  Made& made = made_.at(id);
  if (!made.passed) {
    send({.what = made.once ? BlobPacket::made_once : BlobPacket::made,
          .index = made.index,
          .id = id,
          .bytes = made.blob->capacity(),
          .base = made.sent},
         made.blob->file().get());
    made.passed = true;
    platform::fault_point("worker.bytes_passed");
  }
  ++made.sent;
  return id;
}

// ------------------------------------------------------------ one call

std::optional<BytesHandle> WorkerBlobs::Call::attach(const Bytes& bytes, std::size_t) {
  if (!blobs_ || !bytes.memory() || !bytes.memory()->shared()) return std::nullopt;
  for (const auto& used : used_)
    if (used == bytes.memory()) return BytesHandle{BytesHandle::app, used->id(), bytes.size()};
  const Lock lock(blobs_->mutex_);
  const auto id = blobs_->id_of(bytes.memory());
  if (!id) return std::nullopt;
  sent_.push_back(blobs_->send_made(*id));
  return BytesHandle{BytesHandle::worker, *id, bytes.size()};
}

Bytes WorkerBlobs::Call::resolve(const BytesHandle& handle) {
  if (!blobs_) throw detail::Refused("a handle of bytes came without them");
  const Lock lock(blobs_->mutex_);
  if (handle.maker == BytesHandle::worker) {
    const auto found = blobs_->made_.find(handle.id);
    if (found == blobs_->made_.end()) throw detail::Refused("the app names bytes that are gone");
    auto memory = found->second.bytes.lock();
    if (!memory) memory = blobs_->use(handle.id, found->second);
    return {std::move(memory), handle.size};
  }
  const auto found = blobs_->given_.find(handle.id);
  Given& given = found != blobs_->given_.end() ? found->second : blobs_->fetch(handle.id);
  auto bytes = given.bytes.lock();
  if (!bytes) given.bytes = bytes = std::make_shared<GivenBytes>(given.blob, handle.id);
  if (std::find(used_.begin(), used_.end(), bytes) == used_.end()) {
    used_.push_back(bytes);
    ++given.calls;
  }
  return {std::move(bytes), handle.size};
}

MutableBytes WorkerBlobs::Call::make_bytes(std::size_t size) {
  if (!blobs_ || size < blobs_->limits_.shared_from) return detail::make_own_bytes(size);
  return blobs_->make(size);
}

MutableBytes WorkerBlobs::Call::make_block(std::size_t size) try {
  if (!blobs_ || size < blobs_->limits_.shared_from || blocks_ == most_blocks) return {};
  MutableBytes memory = blobs_->make(size);
  beside_ += detail::size_beside(size);
  ++blocks_;
  return memory;
} catch (const BytesExhausted&) {
  return {};
}

void WorkerBlobs::Call::finish() {
  if (used_.empty()) return;
  const auto used = std::move(used_);  // ends after the lock
  used_.clear();
  const Lock lock(blobs_->mutex_);
  const auto given = [&](const GivenBytes& bytes) {
    const auto found = blobs_->given_.find(bytes.id());
    return found != blobs_->given_.end() && found->second.blob == bytes.blob() ? &found->second
                                                                               : nullptr;
  };
  for (const auto& bytes : used)
    if (Given* const mine = given(*bytes)) --mine->calls;
  for (const auto& bytes : used) {
    const Given* const mine = given(*bytes);
    if (mine == nullptr || mine->calls != 0 || bytes.use_count() == 1) continue;
    bytes->blob()->become_private();
    blobs_->given_.erase(bytes->id());
  }
}

void WorkerBlobs::Call::recall() {
  if (sent_.empty() && sent_ends_.empty()) return;
  const Lock lock(blobs_->mutex_);
  for (const BlobId id : sent_ends_) blobs_->send({.what = BlobPacket::end_gone, .id = id});
  sent_ends_.clear();
  for (const BlobId id : sent_) {
    const auto found = blobs_->made_.find(id);
    if (found == blobs_->made_.end()) continue;
    --found->second.sent;
    if (found->second.once && blobs_->is_idle(found->second)) blobs_->drop(found);
  }
  sent_.clear();
}

void WorkerBlobs::Call::abandon() noexcept {
  try {
    recall();
    finish();
  } catch (const BytesExhausted&) {  // what was kept may change: there is no memory for better
  }
}

}  // namespace bulkhead::rpc
