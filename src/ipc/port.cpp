#include "ipc/port.hpp"

#include <algorithm>
#include <array>
#include <new>

#include "platform/cpu.hpp"
#include "platform/fault.hpp"
#include "platform/socket.hpp"
#include "platform/stream.hpp"

namespace bulkhead::ipc {

namespace {

constexpr auto seq_cst = std::memory_order_seq_cst;

// The memory of larger items is not kept.
constexpr std::size_t large = std::size_t{64} << 10;

Leave look_at(const std::atomic<std::uint32_t>& word) { return Leave{word.load(seq_cst)}; }

}  // namespace

// ------------------------------------------------------------ both

Port::Port(Role role, ChannelMemory memory, platform::Fd bell)
    : memory_(std::move(memory)),
      control_(memory_.control()),
      spinner_(role == Role::sends ? control_.sender_core : control_.receiver_core,
               role == Role::sends ? control_.receiver_core : control_.sender_core),
      bell_(std::move(bell)) {}

void Port::ring() const { platform::send_now(bell_, std::array{std::byte{1}}); }

Bell Port::hear() {
  std::array<std::byte, 256> heard;
  const auto read = platform::receive_now(bell_, heard);
  if (read.io == platform::Io::end) hung_up_ = true;
  return hung_up_ ? Bell::closed : read.io == platform::Io::done ? Bell::rung : Bell::quiet;
}

// A reactor may have made it one that does not wait.
void Port::sleep() {
  platform::wait_readable(bell_, {});
  hear();
}

void Port::hang_up() const { platform::hang_up(bell_); }

SpinPolicy::Time Port::spin_limit() {
  static const bool alone = platform::usable_cores() < 2;
  return alone ? SpinPolicy::Time::zero() : SpinPolicy::longest;
}

// ------------------------------------------------------------ sending

SendPort::SendPort(ChannelMemory memory, platform::Fd bell, std::uint64_t capacity)
    : Port(Role::sends, std::move(memory), std::move(bell)),
      writer_(memory_.ring()),
      credit_(capacity) {}

// False when the receiver broke the rules.
bool SendPort::look() {
  violated_ |= !credit_.note_taken(control_.taken.load(seq_cst)) || writer_.violated();
  return !violated_;
}

SendPort::Push SendPort::push(std::span<const std::byte> item) {
  if (has_left()) return violated_ ? Push::violation : Push::closed;
  next_ = 0;
  if (sent_ == 0 && !credit_.may_send() && look() && !credit_.may_send()) return Push::full;
  for (bool goes_on = !violated_; goes_on;) {
    const auto rest = item.subspan(sent_);
    next_ = std::min(rest.size(), writer_.largest_payload());
    goes_on = next_ < rest.size();
    const Write written = writer_.try_write({}, rest.first(next_), goes_on ? more : 0);
    if (written == Write::full) return Push::full;
    violated_ |= written == Write::violation;
    if (violated_) break;
    sent_ += next_;
    if (writer_.must_wake_reader()) ring();
    if (goes_on) platform::fault_point("channel.mid_item");
  }
  if (violated_) return Push::violation;
  sent_ = 0;
  credit_.sent();
  spinner_.over();
  return Push::done;
}

bool SendPort::receiver_left() const { return look_at(control_.receiver_left) == Leave::closed; }

// Or broke the rules.
bool SendPort::has_left() {
  const Leave left = look_at(control_.receiver_left);
  violated_ |= left != Leave::not_yet && left != Leave::closed;
  return left != Leave::not_yet;
}

bool SendPort::fits(std::size_t item) {
  if (!credit_.may_send() && (!look() || !credit_.may_send())) return violated_;
  return writer_.has_room_for_message(item) || writer_.violated();
}

bool SendPort::ever_fits(std::size_t item) const {
  const std::uint64_t ring = memory_.ring().capacity;
  return framed_message(item, ring) <= ring;
}

// What push() needs next is there, or something to be told.
bool SendPort::may_go_on() {
  if (has_left() || !look()) return true;
  return (sent_ != 0 || credit_.may_send()) && writer_.has_room(next_);
}

void SendPort::wait() {
  if (!spinner_.spin(spin_limit(), [this] { return may_go_on(); }) && !arm()) sleep();
  disarm();
}

// Items that are taken meanwhile are seen here, or seen to be slept for. Parts of one are told of
// by the ring, each time that half of it was read.
bool SendPort::arm() {
  const std::uint64_t taken = credit_.taken();
  control_.sender_sleeps.store(1, seq_cst);
  const bool has_room = writer_.prepare_sleep(next_);
  const bool changed = !look() || credit_.taken() != taken || has_left();
  const bool has_credit = sent_ != 0 || credit_.may_send();
  return changed || (has_room && has_credit);
}

void SendPort::disarm() {
  control_.sender_sleeps.store(0, std::memory_order_relaxed);
  writer_.cancel_sleep();
}

void SendPort::leave(Leave how) {
  control_.sender_left.store(static_cast<std::uint32_t>(how), seq_cst);
  platform::fault_point("channel.left");
  ring();
}

// ------------------------------------------------------------ receiving

ReceivePort::ReceivePort(ChannelMemory memory, platform::Fd bell, std::size_t max_item)
    : Port(Role::receives, std::move(memory), std::move(bell)),
      reader_(memory_.ring()),
      max_item_(max_item) {}

// There is no violation in having no memory left for what it sends, but nothing else to be done.
ReceivePort::Pull ReceivePort::pull(Buffer& item) try {
  for (;;) {
    const std::size_t before = incoming_.size();
    const Read read = reader_.read(incoming_);
    if (read == Read::empty) {
      const Leave left = look_at(control_.sender_left);
      if (left == Leave::not_yet) return Pull::empty;
      if (!reader_.ready()) return what_is_left(left);
      continue;  // it was published before the sender left
    }
    if (read == Read::violation || incoming_.size() > max_item_) return Pull::violation;
    if (reader_.must_wake_writer()) ring();
    if (read == Read::frame) break;
    if (incoming_.size() == before) return Pull::violation;  // it could go on so for ever
    platform::fault_point("channel.part_taken");
  }
  item.swap(incoming_);
  incoming_.clear();
  if (incoming_.capacity() > large) incoming_ = {};
  took_one();
  return Pull::item;
} catch (const std::bad_alloc&) {
  return Pull::violation;
}

ReceivePort::Pull ReceivePort::what_is_left(Leave left) const {
  if (left == Leave::closed) return incoming_.empty() ? Pull::ended : Pull::violation;
  return left == Leave::broken ? Pull::broken : Pull::violation;
}

bool ReceivePort::sender_left() const { return look_at(control_.sender_left) == Leave::closed; }

void ReceivePort::took_one() {
  control_.taken.store(++taken_, seq_cst);
  if (control_.sender_sleeps.load(seq_cst) != 0 && control_.sender_sleeps.exchange(0) != 0) ring();
  spinner_.over();
}

void ReceivePort::wait() {
  const auto there = [this] {
    return reader_.ready() || look_at(control_.sender_left) != Leave::not_yet;
  };
  if (!spinner_.spin(spin_limit(), there) && !arm()) sleep();
  disarm();
}

bool ReceivePort::arm() {
  return reader_.prepare_sleep() || look_at(control_.sender_left) != Leave::not_yet;
}

void ReceivePort::leave() {
  control_.receiver_left.store(static_cast<std::uint32_t>(Leave::closed), seq_cst);
  ring();
}

}  // namespace bulkhead::ipc
