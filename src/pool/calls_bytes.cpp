// Buffers for the calls of a pool.
#include "pool/calls.hpp"

namespace bulkhead::pool {

MutableBytes Calls::make_bytes(std::size_t size) {
  if (size < limits_.bytes.shared_from) return detail::make_own_bytes(size);
  if (!home_.here()) return detail::make_bytes(size);
  if (const auto next = next_connection())
    if (auto bytes = next->take(size)) return *std::move(bytes);
  const auto make = [&]() -> MutableBytes {
    return {std::make_shared<ipc::OwnBytes>(ipc::Blob::make(size, budget_), true), size};
  };
  try {
    return make();
  } catch (const BytesExhausted&) {
    for (const auto& connection : connections()) connection->drop_kept();
  }
  return make();
}

MutableBytes Calls::make_block(std::size_t size) {
  if (size < limits_.bytes.shared_from || !blocks_->take(1)) return {};
  std::shared_ptr<void> taken(nullptr, [blocks = blocks_](void*) { blocks->give_back(1); });
  try {
    auto memory = make_bytes(size).memory();
    // Let go of with the last owner, while others may still know where it was.
    auto* const at = memory.get();
    auto let_go = [memory = std::move(memory), taken = std::move(taken)](void*) mutable {
      memory.reset();
      taken.reset();
    };
    return {{at, std::move(let_go)}, size};
  } catch (const BytesExhausted&) {
    return {};
  }
}

// Of the worker that would be given a call now.
std::shared_ptr<rpc::AppBlobs> Calls::next_connection() const {
  const std::lock_guard lock(mutex_);
  const auto member = schedule_.pick();
  return member ? seats_[*member].worker->connection().blobs() : nullptr;
}

std::vector<std::shared_ptr<rpc::AppBlobs>> Calls::connections() const {
  std::vector<std::shared_ptr<rpc::AppBlobs>> all;
  const std::lock_guard lock(mutex_);
  for (const Seat& seat : seats_)
    if (seat.worker) all.push_back(seat.worker->connection().blobs());
  return all;
}

}  // namespace bulkhead::pool
