// Calls that are stopped one by one, under the owner's lock.
#include "platform/futex.hpp"
#include "rpc/app_end.hpp"

namespace bulkhead::rpc {

std::optional<Slot> AppEnd::find(const detail::Call& call) const {
  const bool here = call.slot < entries_.size() && entries_[call.slot].ticket != 0 &&
                    entries_[call.slot].open.call.get() == &call;
  return here ? std::optional(call.slot) : std::nullopt;
}

OpenCall* AppEnd::under(Ticket ticket) {
  for (Slot slot = first_given_; slot != none; slot = entries_[slot].after)
    if (entries_[slot].ticket == ticket) return &entries_[slot].open;
  return nullptr;
}

std::optional<OpenCall> AppEnd::take_back_at(Slot slot) {
  const Ticket ticket = entries_[slot].ticket;
  if (!keeps_from_worker(slot)) return std::nullopt;
  forget_outgoing(ticket);
  return release(slot);
}

// The word first: whoever is woken by the count looks at it.
void AppEnd::ask_to_stop(Slot slot) {
  const Ticket ticket = entries_[slot].ticket;
  std::uint64_t expected = slot_word::begun(ticket);
  if (!slots_[slot].compare_exchange_strong(expected, slot_word::stopping(ticket))) return;
  auto& stops = link_.segment().hints().stops;
  ++stops;
  platform::futex_wake_all(stops, platform::Sharing::processes);
}

void AppEnd::ask_all_to_stop() {
  for (auto& slot : slots_) {
    std::uint64_t word = slot.load(std::memory_order_relaxed);
    if (slot_word::is_begun(word))
      slot.compare_exchange_strong(word, slot_word::stopping_begun(word));
  }
  auto& stops = link_.segment().hints().stops;
  ++stops;
  platform::futex_wake_all(stops, platform::Sharing::processes);
}

std::optional<OpenCall::Time> AppEnd::began_by(Slot slot) const {
  if (at_once_ != 1 || slot != first_given_ || not_begun(slot)) return std::nullopt;
  return std::max(entries_[slot].open.since, last_answer_);
}

}  // namespace bulkhead::rpc
