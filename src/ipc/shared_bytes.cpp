#include "ipc/shared_bytes.hpp"

namespace bulkhead::ipc {

void SharedBytes::passed_to(std::weak_ptr<BytesHolder> holder) const {
  const std::lock_guard lock(mutex_);
  holders_.push_back(std::move(holder));
}

SharedBytes::Holders SharedBytes::holders() const {
  Holders alive;
  for (const auto& holder : holders_)
    if (auto there = holder.lock()) alive.push_back(std::move(there));
  return alive;
}

std::uint64_t SharedBytes::id_at_maker(const BytesHolder&) const { return 0; }

OwnBytes::OwnBytes(std::shared_ptr<Blob> blob, const std::shared_ptr<BytesHolder>& holder)
    : SharedBytes(std::move(blob)), had_by_(holder), reusable_(true) {
  passed_to(holder);
}

// One worker must not see what was written for another, nor what is written for one later.
OwnBytes::~OwnBytes() {
  const Holders alive = holders();
  if (here() && reusable_ && alive.size() == 1 && alive.front()->keep(*this)) return;
  end(alive);
}

bool OwnBytes::seen_besides(const BytesHolder& holder) const {
  const auto other = had_by_.lock();
  return other && other.get() != &holder;
}

}  // namespace bulkhead::ipc
