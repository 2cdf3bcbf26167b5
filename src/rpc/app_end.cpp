#include "rpc/app_end.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "platform/fault.hpp"

namespace bulkhead::rpc {

AppEnd::AppEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message)
    : link_(ipc::End::app, std::move(segment), std::move(bell)),
      max_message_(max_message),
      slots_(link_.segment().slots()),
      entries_(slots_.size()),
      free_slots_(slots_.size()) {
  std::iota(free_slots_.begin(), free_slots_.end(), Slot{0});
}

AppEnd::~AppEnd() {
  if (blobs_) blobs_->disconnect();
  end_channels(gone_);
}

void AppEnd::carry_bytes(platform::Fd socket, const BytesLimits& limits,
                         std::function<void()> ring) {
  blobs_ = std::make_shared<AppBlobs>(std::move(socket), link_.segment().releases(), limits,
                                      max_message_, std::move(ring));
}

void AppEnd::carry_channels(AppChannels::Trouble trouble) {
  channels_ = std::make_shared<AppChannels>(max_message_, std::move(trouble));
  blobs_->carry(channels_);
}

void AppEnd::end_channels(const Error& why) {
  if (channels_) channels_->end(why);
}

// ------------------------------------------------------------ sending, under the owner's lock

void AppEnd::hand_over(OpenCall&& open) {
  if (hand_over_unrung(std::move(open))) ring();
}

bool AppEnd::hand_over_unrung(OpenCall&& open) {
  if (!open.call->attachments.empty() && blobs_) blobs_->give(*open.call);
  if (!open.call->ends.empty() && channels_) channels_->offer(*open.call);
  const Slot slot = take_slot();
  const Ticket ticket = ++last_ticket_;
  slots_[slot].store(slot_word::queued(ticket), std::memory_order_release);
  const Head head{.id = open.id,
                  .ticket = ticket,
                  .slot = slot,
                  .kind = open.call->steering ? Kind::limited : Kind::request,
                  .request = static_cast<std::uint16_t>(open.call->type->index),
                  .size = open.call->request.size()};
  Entry& entry = entries_[slot];
  open.call->slot = slot;
  entry.open = std::move(open);
  entry.ticket = ticket;
  put_last(slot);
  if (outbox_.empty()) {
    const auto [write, sleeper] = send_whole(head, *entry.open.call);
    if (write == ipc::Write::done) return sleeper.has_value();
  }
  outbox_.push_back({.head = head, .call = entry.open.call});
  flush();
  return false;
}

Slot AppEnd::take_slot() {
  const Slot slot = free_slots_[first_free_];
  first_free_ = next_in_ring(first_free_);
  held_.store(held() + 1, std::memory_order_relaxed);
  return slot;
}

void AppEnd::free_slot(Slot slot) {
  free_slots_[after_last_free_] = slot;
  after_last_free_ = next_in_ring(after_last_free_);
  held_.store(held() - 1, std::memory_order_relaxed);
}

void AppEnd::put_last(Slot slot) {
  entries_[slot].before = last_given_;
  entries_[slot].after = none;
  (last_given_ == none ? first_given_ : entries_[last_given_].after) = slot;
  last_given_ = slot;
}

void AppEnd::unlink(Slot slot) {
  const Entry& entry = entries_[slot];
  (entry.before == none ? first_given_ : entries_[entry.before].after) = entry.after;
  (entry.after == none ? last_given_ : entries_[entry.after].before) = entry.before;
}

void AppEnd::leave() {
  outbox_.push_back({.head = {.kind = Kind::leave}, .call = nullptr});
  flush();
}

void AppEnd::flush() {
  if (blobs_)
    for (const auto& [maker, id, received] : blobs_->take_forgotten())
      outbox_.push_back(
          {.head = {.id = id, .slot = received, .kind = Kind::forget, .request = maker},
           .call = nullptr});
  while (!outbox_.empty() && send_some(outbox_.front())) outbox_.pop_front();
}

// Most requests fit into one frame, for which there is room. Else nothing of it is out.
ipc::Link::Unrung AppEnd::send_whole(const Head& head, const detail::Call& call) {
  if (call.request.size() > link_.largest_payload() - sizeof head) return {ipc::Write::full};
  return link_.send_unrung(std::as_bytes(std::span(&head, std::size_t{1})), call.request);
}

// True when the whole message is out.
bool AppEnd::send_some(Outgoing& message) {
  std::span<const std::byte> body;
  if (message.call) body = std::span(message.call->request).subspan(message.sent);
  for (bool more = true; more;) {
    const auto head = message.begun ? std::span<const std::byte>{}
                                    : std::as_bytes(std::span(&message.head, std::size_t{1}));
    const std::size_t size = std::min(body.size(), link_.largest_payload() - head.size());
    more = size < body.size();
    if (!send_frame(head, body.first(size), more)) return false;
    if (more) platform::fault_point("app.mid_request");
    message.begun = true;
    message.sent += size;
    body = body.subspan(size);
  }
  return true;
}

// False when there is no room; the doorbell then rings when there is.
bool AppEnd::send_frame(std::span<const std::byte> head, std::span<const std::byte> body,
                        bool more) {
  for (;;) {
    switch (link_.send(head, body, more ? ipc::more : 0)) {
      case ipc::Write::done:
        return true;
      case ipc::Write::violation:
        send_violated_ = true;
        return false;
      case ipc::Write::full:
        if (!link_.arm_for_room(head.size() + body.size())) return false;
    }
  }
}

std::vector<OpenCall> AppEnd::take_back(std::size_t count) {
  std::vector<OpenCall> taken;
  taken.reserve(std::min<std::size_t>(count, slots_.size()));  // nothing is taken if this throws
  while (taken.size() < count && last_given_ != none) {
    const Slot slot = last_given_;
    const Ticket ticket = entries_[slot].ticket;
    std::uint64_t expected = slot_word::queued(ticket);
    // A worker takes calls up in order: where it has begun this one, it has begun those before.
    if (!slots_[slot].compare_exchange_strong(expected, slot_word::free)) break;
    forget_outgoing(ticket);
    taken.push_back(release(slot));
  }
  return taken;
}

std::deque<AppEnd::Outgoing>::iterator AppEnd::find_outgoing(Ticket ticket) {
  return std::find_if(outbox_.begin(), outbox_.end(),
                      [&](const Outgoing& message) { return message.head.ticket == ticket; });
}

// A message that is partly out is ended early: the worker has not claimed it, and drops the parts.
void AppEnd::forget_outgoing(Ticket ticket) {
  const auto found = find_outgoing(ticket);
  if (found == outbox_.end()) return;
  if (found->begun)
    *found = {.head = {}, .call = nullptr, .begun = true};
  else
    outbox_.erase(found);
}

OpenCall AppEnd::release(Slot slot) {
  unlink(slot);
  free_slot(slot);
  entries_[slot].ticket = 0;
  for (const auto& carried : entries_[slot].open.call->ends) carried.end->offered_to = nullptr;
  return std::move(entries_[slot].open);
}

OpenCall* AppEnd::about(const Head& head) {
  if (head.slot >= entries_.size() || head.ticket == 0) return nullptr;
  Entry& entry = entries_[head.slot];
  if (entry.ticket != head.ticket || entry.open.id != head.id ||
      entry.open.call->type->index != head.request)
    return nullptr;
  const bool going_out = !outbox_.empty() && find_outgoing(head.ticket) != outbox_.end();
  return going_out ? nullptr : &entry.open;  // nobody can have answered that
}

std::optional<OpenCall> AppEnd::close(const Head& head, OpenCall::Time now) {
  if (!about(head)) return std::nullopt;
  last_answer_ = now;
  return release(head.slot);
}

// Without a slot: the one that it had may be in use again, and no other free.
void AppEnd::reopen(OpenCall open) { reopened_.push_back(std::move(open)); }

std::vector<const OpenCall*> AppEnd::begun() const {
  std::vector<const OpenCall*> begun;
  for (Slot slot = first_given_; slot != none; slot = entries_[slot].after)
    if (!not_begun(slot)) begun.push_back(&entries_[slot].open);
  return begun;
}

bool AppEnd::not_begun(Slot slot) const {
  return slots_[slot].load(std::memory_order_acquire) == slot_word::queued(entries_[slot].ticket);
}

// False: the worker has begun the call. Also one that is about to be dead may be about to.
bool AppEnd::keeps_from_worker(Slot slot) {
  std::uint64_t expected = slot_word::queued(entries_[slot].ticket);
  return slots_[slot].compare_exchange_strong(expected, slot_word::free);
}

AppEnd::Left AppEnd::drain() {
  Left left;
  left.begun = std::exchange(reopened_, {});
  outbox_.clear();
  while (first_given_ != none) {
    const Slot slot = first_given_;
    auto& calls = keeps_from_worker(slot) ? left.not_begun : left.begun;
    calls.push_back(release(slot));
    if (at_once_ == 1) calls.back().since = std::max(calls.back().since, last_answer_);
  }
  return left;
}

// ------------------------------------------------------------ receiving, with the receive role

AppEnd::Received AppEnd::violate(std::string what) {
  violation_ = std::move(what);
  return Received::violation;
}

// What it announces and what there is memory for is not the same.
ipc::Read AppEnd::receive_frame() {
  try {
    make_room();
    return link_.receive(incoming_.bytes);
  } catch (const std::bad_alloc&) {
    violate("there is no memory for what it answers");
    return ipc::Read::violation;
  }
}

// For all of it, once a quarter has come: before that a head may announce what it likes.
void AppEnd::make_room() {
  if (incoming_.bytes.empty()) return;
  const std::size_t whole = sizeof(Head) + incoming_.head.size;
  if (incoming_.bytes.size() >= whole / 4) incoming_.bytes.reserve(whole);
}

AppEnd::Received AppEnd::receive(Message& message) {
  while (violation_.empty()) {
    const std::size_t before = incoming_.bytes.size();
    const ipc::Read read = receive_frame();
    if (read == ipc::Read::empty) return Received::nothing;
    if (read == ipc::Read::violation)
      return violation_.empty() ? violate("its ring holds what no worker writes")
                                : Received::violation;
    if (const char* fault = fault_of_part(before, read == ipc::Read::frame)) return violate(fault);
    if (read == ipc::Read::part) {
      platform::fault_point("app.mid_response");
      continue;
    }
    message.head = incoming_.head;
    message.bytes.swap(incoming_.bytes);
    incoming_.bytes.clear();
    return Received::message;
  }
  return Received::violation;
}

// Large messages come alone: their memory is not kept.
AppEnd::Batch AppEnd::receive_batch() {
  constexpr std::size_t large = std::size_t{64} * 1024;
  std::size_t count = 0;
  Received behind = Received::message;
  for (bool more = true; more && count < batch_.size();) {
    Message& next = batch_[count];
    if (next.bytes.capacity() > large) next.bytes = {};
    behind = receive(next);
    if (behind != Received::message) break;
    more = next.is_answer() && next.bytes.size() <= large;
    ++count;
  }
  return {std::span(batch_).first(count), behind};
}

// A part of a message has come, behind the `before` bytes that were there. Memory is only ever
// taken for what has come, not for what a head announces.
const char* AppEnd::fault_of_part(std::size_t before, bool last) {
  const std::size_t now = incoming_.bytes.size();
  if (before == 0) {
    if (now < sizeof(Head)) return "it sent a message shorter than its head";
    std::memcpy(&incoming_.head, incoming_.bytes.data(), sizeof(Head));
    const bool is_line = incoming_.head.kind == Kind::logged;
    if (const char* fault = is_line ? fault_of_line(incoming_.head) : fault_of(incoming_.head))
      return fault;
  } else if (now == before) {
    return "it sent a part of a message that holds nothing";
  }
  const std::size_t body = now - sizeof(Head);
  if (last ? body != incoming_.head.size : body >= incoming_.head.size)
    return "it sent a message whose size is not what its head says";
  return nullptr;
}

const char* AppEnd::fault_of_line(const Head& head) {
  if (head.size < sizeof(LogHead)) return "it logged a line without a level";
  if (head.size > sizeof(LogHead) + max_log_text) return "it logged a line longer than any may be";
  return nullptr;
}

const char* AppEnd::fault_of(const Head& head) const {
  switch (head.kind) {
    case Kind::ready:
      if (head.slot == 0 || head.slot > entries_.size())
        return "it was ready to run more calls at once than it can have, or none";
      break;
    case Kind::refused:
      break;
    case Kind::response:
    case Kind::threw:
    case Kind::too_large:
    case Kind::progress:
      if (head.slot >= entries_.size()) return "it answered for a slot that there is not";
      break;
    case Kind::request:
    case Kind::leave:
    case Kind::forget:
    case Kind::limited:
    case Kind::logged:
    default:
      return "it sent a message of a kind that no worker sends";
  }
  const bool is_value = head.kind == Kind::response || head.kind == Kind::progress;
  const std::size_t most = is_value ? max_message_ : max_exception_text;
  if (head.size > most) return "it announced a message larger than any may be";
  return nullptr;
}

}  // namespace bulkhead::rpc
