#include "ipc/shared_bytes.hpp"

namespace bulkhead::ipc {

void SharedBytes::passed_to(std::weak_ptr<BytesHolder> holder) const {
  const std::lock_guard lock(mutex_);
  holders_.push_back(std::move(holder));
}

std::shared_ptr<BytesHolder> SharedBytes::only_holder() const noexcept {
  std::shared_ptr<BytesHolder> only;
  for (const auto& holder : holders_) {
    auto there = holder.lock();
    if (there && only) return nullptr;
    if (there) only = std::move(there);
  }
  return only;
}

bool SharedBytes::end() const noexcept {
  bool anyone = false;
  for (const auto& holder : holders_) {
    const auto there = holder.lock();
    if (there) there->let_go(*this);
    anyone |= there != nullptr;
  }
  return anyone;
}

std::uint64_t SharedBytes::id_at_maker(const BytesHolder&) const { return 0; }

OwnBytes::OwnBytes(std::shared_ptr<Blob> blob, const std::shared_ptr<BytesHolder>& holder)
    : SharedBytes(std::move(blob)), had_by_(holder), reusable_(true) {
  passed_to(holder);
}

// One worker must not see what was written for another, nor what is written for one later.
OwnBytes::~OwnBytes() {
  const auto only = here() && reusable_ ? only_holder() : nullptr;
  if (!only || !only->keep(*this)) end();
}

bool OwnBytes::seen_besides(const BytesHolder& holder) const {
  const auto other = had_by_.lock();
  return other && other.get() != &holder;
}

}  // namespace bulkhead::ipc
