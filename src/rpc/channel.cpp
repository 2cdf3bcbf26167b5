#include "rpc/channel.hpp"

#include <stdexcept>

namespace bulkhead::rpc {

namespace {

Error lost_error(const std::string& why) {
  return Error(errc::channel_closed, "the other end of the channel is gone: " + why);
}

Error too_large(const Buffer& item, const std::string& limit) {
  return Error(errc::message_too_large, "an item of " + std::to_string(item.size()) +
                                            " bytes is larger than the channel's " + limit);
}

void check_idle(const Channel::Operation& operation) {
  if (operation)
    throw std::logic_error("an asynchronous operation of this end of the channel is under way");
}

}  // namespace

Channel::Lock Channel::enter() const {
  if (!home_.here())
    throw Error(errc::channel_closed, "the channel belongs to process " +
                                          std::to_string(home_.pid()) +
                                          ", from which this one was forked");
  return Lock(mutex_);
}

// ------------------------------------------------------------ sending

void Channel::send(Buffer& item) {
  Lock lock = enter();
  check_sending(item);
  while (!put(item)) wait_for_room(lock);
  if (!out_) advance(std::move(lock));
}

bool Channel::try_send(Buffer& item) {
  Lock lock = enter();
  check_sending(item);
  const bool port_is_mine = out_ && !pump_;
  if (port_is_mine && !out_->ever_fits(item.size())) throw too_large(item, "memory");
  const bool sent = (!port_is_mine || out_->fits(item.size())) && put(item);
  if (!sent && port_is_mine) {
    out_->hear();
    look_at_receiver();
  }
  if (const auto error = state_.send_error()) throw *error;
  if (sent && !out_) advance(std::move(lock));
  return sent;
}

void Channel::check_sending(const Buffer& item) const {
  check_idle(sending_);
  if (item.size() > max_item_) throw too_large(item, "max_message");
}

// False when there is no room.
bool Channel::put(Buffer& item) {
  if (const auto error = state_.send_error()) throw *error;
  if (out_) return !pump_ && push(item);
  if (queue_.size() >= capacity_) return false;
  queue_.push_back(std::move(item));
  return true;
}

// The same through the port. What it finds out about the receiver is for the next look.
bool Channel::push(Buffer& item) {
  const bool hung = out_->hung_up();
  switch (out_->push(item)) {
    case ipc::SendPort::Push::done:
      return true;
    case ipc::SendPort::Push::full:
      if (hung) hung_up(Side::receiver);
      return false;
    case ipc::SendPort::Push::closed:
      state_.close(Side::receiver);
      return false;
    case ipc::SendPort::Push::violation:
      violated(Side::receiver, "it took items that were not sent");
  }
  return false;
}

void Channel::wait_for_room(Lock& lock) {
  if (!out_ || pump_ || out_->hung_up()) {
    if (!state_.send_error()) changed_.wait(lock);
    return;
  }
  lock.unlock();
  out_->wait();
  lock.lock();
}

// ------------------------------------------------------------ receiving

bool Channel::receive(Buffer& item) {
  Lock lock = enter();
  check_idle(receiving_);
  Got got = Got::nothing;
  while ((got = take(item)) == Got::nothing) wait_for_item(lock);
  if (!in_) advance(std::move(lock));
  return got == Got::item;
}

Channel::Got Channel::try_receive(Buffer& item) {
  Lock lock = enter();
  check_idle(receiving_);
  Got got = take(item);
  if (got == Got::nothing && in_ && !pump_ && in_->hear() == ipc::Bell::closed) got = take(item);
  if (!in_ && got == Got::item) advance(std::move(lock));
  return got;
}

Channel::Got Channel::take(Buffer& item) {
  if (refused_) throw *refused_;
  if (!queue_.empty()) {
    item = std::move(queue_.front());
    queue_.pop_front();
    return Got::item;
  }
  if (in_ && !pump_ && pull(item)) return Got::item;
  const auto left = state_.what_is_left();
  if (left.error) throw *left.error;
  return left.got;
}

// False when there is none now.
bool Channel::pull(Buffer& item) {
  const bool hung = in_->hung_up();
  switch (in_->pull(item)) {
    case ipc::ReceivePort::Pull::item:
      return true;
    case ipc::ReceivePort::Pull::empty:
      if (hung) hung_up(Side::sender);
      break;
    case ipc::ReceivePort::Pull::ended:
      state_.close(Side::sender);
      break;
    case ipc::ReceivePort::Pull::broken:
      state_.lose(Side::sender, lost_error("the process that sent into it has ended"));
      break;
    case ipc::ReceivePort::Pull::violation:
      violated(Side::sender, "it sent what is no item");
  }
  in_drained_ = !state_.open(Side::sender);
  return false;
}

void Channel::wait_for_item(Lock& lock) {
  if (!in_ || pump_ || in_->hung_up()) {
    if (state_.open(Side::sender)) changed_.wait(lock);
    return;
  }
  lock.unlock();
  in_->wait();
  lock.lock();
}

// Nor is anything that it has sent behind that.
void Channel::refuse(const char* how) {
  const std::string what = std::string("it sent an item that can not be: ") + how;
  const Error why = lost_error(what);
  {
    const Lock lock = enter();
    violated(Side::sender, what);
    refused_ = why;
  }
  throw Error(why);
}

// ------------------------------------------------------------ ends

// What is on its way to it is not looked for any more.
void Channel::look_at_receiver() {
  if (!out_ || !state_.open(Side::receiver)) return;
  if (out_->receiver_left())
    state_.close(Side::receiver);
  else if (out_->hung_up())
    hung_up(Side::receiver);
}

// The end of a peer that is watched over is told soon, by lose().
void Channel::hung_up(Side side) {
  const auto& peer = side == Side::sender ? in_peer_ : out_peer_;
  if (peer)
    peer->channel_hung_up();
  else
    state_.lose(side, lost_error("its process has ended"));
}

void Channel::violated(Side side, const std::string& how) {
  const auto& peer = side == Side::sender ? in_peer_ : out_peer_;
  state_.lose(side, lost_error(how));
  if (peer) peer->channel_violated(how);
}

bool Channel::away(Side side) const {
  const std::lock_guard lock(mutex_);
  return state_.away(side);
}

void Channel::close(Side side) {
  if (!home_.here()) return;
  Lock lock(mutex_);
  if (state_.away(side)) return;
  state_.close(side);
  Finished dropped;
  if (side == Side::receiver && receiving_) {
    const Error why(errc::cancelled, "the receiver was dropped");
    finish(receiving_, dropped, &why);
  }
  advance(std::move(lock));
  tell(dropped);
}

void Channel::abandon(Side side, const Error& why) {
  if (!home_.here()) return;
  Lock lock(mutex_);
  if (state_.away(side)) return;
  state_.lose(side, why);
  advance(std::move(lock));
}

void Channel::lose(Side side, const Error& why) {
  if (!home_.here()) return;
  Lock lock(mutex_);
  const bool left =
      side == Side::sender ? in_ && in_->sender_left() : out_ && out_->receiver_left();
  left ? state_.close(side) : state_.lose(side, why);
  // Whoever sleeps there is to look.
  if (out_ && side == Side::receiver) out_->hang_up();
  if (in_ && side == Side::sender) in_->hang_up();
  advance(std::move(lock));
}

// Nothing is moved or told from here: connections call this under their locks.
bool Channel::move(Side side, Way way) {
  const Lock lock = enter();
  check_idle(side == Side::sender ? sending_ : receiving_);
  if (!state_.move(side)) return false;
  if (side == Side::receiver) {
    out_.emplace(std::move(way.memory), std::move(way.bell), capacity_);
    out_peer_ = std::move(way.peer);
    max_item_ = way.max_item;
  } else {
    in_.emplace(std::move(way.memory), std::move(way.bell), way.max_item);
    in_peer_ = std::move(way.peer);
  }
  pass_on_ends();
  if (!pump_ && needs_pump()) start_pump();
  changed_.notify_all();
  return true;
}

}  // namespace bulkhead::rpc
