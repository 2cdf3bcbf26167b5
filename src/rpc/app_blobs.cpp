#include "rpc/app_blobs.hpp"

#include <algorithm>
#include <cstring>

#include "bulkhead/detail/refused.hpp"
#include "rpc/made_bytes.hpp"

namespace bulkhead::rpc {

using detail::BytesHandle;

namespace {

bool contains(std::span<const BlobId> ids, BlobId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

AppBlobs::AppBlobs(platform::Fd socket, Releases releases, const BytesLimits& limits,
                   std::size_t max_message, std::function<void()> ring)
    : socket_(std::move(socket)),
      limits_(limits),
      max_message_(max_message),
      ring_(std::move(ring)),
      releases_(releases) {}

void AppBlobs::disconnect() {
  const std::lock_guard lock(mutex_);
  releases_ = {};
}

// ------------------------------------------------------------ what the app makes

std::optional<MutableBytes> AppBlobs::take(std::size_t size) {
  Kept taken;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(),
                                    [&](const Kept& kept) { return kept.blob->fits(size); });
    if (found == kept_.rend()) return std::nullopt;
    taken = std::move(*found);
    kept_.erase(std::next(found).base());
    kept_bytes_ -= taken.blob->capacity();
  }
  const auto bytes = std::make_shared<ipc::OwnBytes>(taken.blob, shared_from_this());
  const std::lock_guard lock(mutex_);
  given_[taken.id] = {.bytes = bytes, .memory = bytes.get(), .blob = std::move(taken.blob)};
  ids_[bytes.get()] = taken.id;
  return MutableBytes(bytes, size);
}

void AppBlobs::drop_kept() {
  std::deque<Kept> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(kept_);
    kept_bytes_ = 0;
    for (const Kept& kept : dropped) forget_given(kept.id);
  }
  tell(!dropped.empty());
}

bool AppBlobs::keep(const ipc::SharedBytes& bytes) noexcept {
  if (!home_.here()) return false;
  std::vector<std::shared_ptr<ipc::Blob>> dropped;
  bool told = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = ids_.find(&bytes);
    if (found == ids_.end() || releases_.empty() || bytes.capacity > limits_.kept) return false;
    const BlobId id = found->second;
    if (given_[id].is_copy) return false;
    ids_.erase(found);
    kept_.push_back({id, bytes.blob()});
    given_[id] = {.blob = bytes.blob()};
    for (kept_bytes_ += bytes.capacity; kept_bytes_ > limits_.kept; kept_.pop_front()) {
      kept_bytes_ -= kept_.front().blob->capacity();
      told = forget_given(kept_.front().id);
      dropped.push_back(std::move(kept_.front().blob));
    }
  }
  tell(told);
  return true;
}

void AppBlobs::let_go(const ipc::SharedBytes& bytes) noexcept {
  if (!home_.here()) return;
  bool told = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = ids_.find(&bytes);
    if (found == ids_.end()) return;
    told = forget_given(found->second);
    ids_.erase(found);
  }
  tell(told);
}

// True when the worker is to be told.
bool AppBlobs::forget_given(BlobId id) {
  given_.erase(id);
  if (releases_.empty()) return false;
  forgotten_.push_back({BytesHandle::app, id, 0});
  return true;
}

void AppBlobs::tell(bool anything) noexcept {
  if (anything) ring_();
}

std::vector<AppBlobs::Forgotten> AppBlobs::take_forgotten() {
  const std::lock_guard lock(mutex_);
  return std::exchange(forgotten_, {});
}

void AppBlobs::give(detail::Call& call) {
  for (const detail::Attachment& attached : call.attachments) {
    const auto& memory = attached.bytes.memory();
    const auto& shared = static_cast<const ipc::SharedBytes&>(*memory);
    BlobId id = shared.id_at_maker(*this);
    const auto maker = id != 0 ? BytesHandle::worker : BytesHandle::app;
    if (id == 0) id = give_one(memory);
    std::byte* const at = call.request.data() + attached.at;
    *at = static_cast<std::byte>(maker);
    std::memcpy(at + 1, &id, sizeof id);
  }
}

BlobId AppBlobs::give_one(const std::shared_ptr<const detail::BytesMemory>& memory) {
  const auto& shared = static_cast<const ipc::SharedBytes&>(*memory);
  const bool copy = shared.must_be_copied_for(*this);
  BlobId id = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = ids_.try_emplace(memory.get(), last_given_ + 1);
    if (!fresh) return at->second;
    id = ++last_given_;
    given_[id] = {.bytes = memory,
                  .memory = memory.get(),
                  .blob = copy ? nullptr : shared.blob(),
                  .is_copy = copy};
  }
  shared.passed_to(weak_from_this());
  return id;
}

// ------------------------------------------------------------ answers

std::optional<BytesHandle> AppBlobs::Answer::attach(const Bytes&, std::size_t) {
  return std::nullopt;
}

Bytes AppBlobs::Answer::resolve(const BytesHandle& handle) {
  return handle.maker == BytesHandle::app ? blobs_.resolve_given(call_, handle)
                                          : blobs_.resolve_made(handle);
}

// A worker makes memory for each block, and passes on nothing that its request carried.
Bytes AppBlobs::Answer::resolve_block(const BytesHandle& handle) {
  if (handle.maker != BytesHandle::worker || contains(blocks_, handle.id))
    throw detail::Refused("it names memory that cannot hold its block");
  if (handle.size > blobs_.max_message_ - beside_)
    throw detail::Refused("its blocks are larger than max_message allows");
  blocks_.push_back(handle.id);
  beside_ += detail::size_beside(handle.size);
  return blobs_.resolve_made(handle);
}

std::uint64_t AppBlobs::Answer::attach_end(std::shared_ptr<detail::ChannelEnd>) {
  detail::refuse_to_carry_end();
}

std::shared_ptr<detail::ChannelEnd> AppBlobs::Answer::resolve_end(std::uint64_t id,
                                                                  detail::Side side) {
  return blobs_.channels_->take(id, side);
}

Bytes AppBlobs::resolve_given(const detail::Call& call, const BytesHandle& handle) {
  const detail::BytesMemory* memory = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = given_.find(handle.id); found != given_.end())
      memory = found->second.memory;
  }
  for (const detail::Attachment& attached : call.attachments)
    if (memory != nullptr && attached.bytes.memory().get() == memory &&
        handle.size <= attached.bytes.size())
      return {attached.bytes.memory(), handle.size};
  throw detail::Refused("it names bytes that its request did not carry, or more than it did");
}

Bytes AppBlobs::resolve_made(const BytesHandle& handle) {
  Lock lock(mutex_);
  auto found = made_.find(handle.id);
  if (found == made_.end()) {
    lock.unlock();
    if (receive() == Heard::violation) throw detail::Refused(violation_);
    lock.lock();
    found = made_.find(handle.id);
  }
  if (found == made_.end()) throw detail::Refused("it names bytes that were never passed");
  Made& made = found->second;
  if (handle.size > made.capacity) throw detail::Refused("it names more bytes than were passed");
  ++made.received;
  if (!made.blob) {
    const bool told = release(handle.id, made);
    const BytesExhausted exhausted(made.why_not, made.error);
    lock.unlock();
    tell(told);
    throw exhausted;
  }
  if (std::exchange(made.idle, false)) idle_bytes_ -= made.capacity;
  ++made.uses;
  const auto blob = made.blob;
  lock.unlock();
  return {std::make_shared<MadeBytes<AppBlobs>>(blob, weak_from_this(), handle.id), handle.size};
}

void AppBlobs::done_with(BlobId id, bool passed_on) noexcept {
  bool told = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(id);
    if (found == made_.end()) return;
    Made& made = found->second;
    made.once |= passed_on;
    if (--made.uses == 0) told = release(id, made);
  }
  tell(told);
}

// Nobody in the app has it. True when the worker is to be told: it shall not use it again.
bool AppBlobs::release(BlobId id, Made& made) {
  if (releases_.empty()) return false;
  made.once |= !made.blob || made.capacity > limits_.kept - idle_bytes_;
  if (made.once) {  // not by its word: the worker would use it again before it hears of this
    forgotten_.push_back({BytesHandle::worker, id, made.received});
    return true;
  }
  made.idle = true;
  idle_bytes_ += made.capacity;
  releases_[made.index].store(made.received, std::memory_order_release);
  return false;
}

}  // namespace bulkhead::rpc
