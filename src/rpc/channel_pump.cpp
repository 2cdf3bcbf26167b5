// What a channel does that no thread waits for: asynchronous operations, and what passes through.
#include <stdexcept>
#include <system_error>
#include <utility>

#include "reactor/reactor.hpp"
#include "reactor/watch.hpp"
#include "rpc/channel.hpp"

namespace bulkhead::rpc {

namespace {

// Then others have their turn.
constexpr int moves_in_a_turn = 64;

}  // namespace

// Keeps the channel and the reactor until it is done. Its watches live on the reactor.
class Channel::Pump : public std::enable_shared_from_this<Pump> {
 public:
  explicit Pump(std::shared_ptr<Channel> channel)
      : reactor_(reactor::Reactor::acquire()),
        channel_(std::move(channel)),
        in_(*reactor_),
        out_(*reactor_) {}

  // From any thread: it is to look.
  void wake() {
    reactor_->post([self = shared_from_this()] { self->turn(); });
  }

 private:
  void turn() {
    Finished finished;
    std::shared_ptr<Pump> over;  // ends after the lock
    bool again = false;
    {
      const std::lock_guard lock(channel_->mutex_);
      if (channel_->pump_.get() != this) return;
      listen(in_, channel_->in_, Side::sender);
      listen(out_, channel_->out_, Side::receiver);
      again = channel_->step(finished);
      if (!channel_->needs_pump()) {
        in_.stop();
        out_.stop();
        over = std::move(channel_->pump_);
        channel_->changed_.notify_all();
      } else if (!again) {
        again = channel_->arm();
      }
    }
    tell(finished);
    if (again && !over) wake();
  }

  // A bell whose other end is closed would ring for ever.
  template <class Port>
  void listen(reactor::Watch& watch, std::optional<Port>& port, Side side) try {
    if (!port) return;
    if (port->hear() == ipc::Bell::closed) return watch.stop();
    if (watch.running()) return;
    watch.start(port->bell(), weak_from_this(), [this] {
      turn();
      return true;
    });
  } catch (const std::system_error& error) {
    channel_->lose_port(side, error.what());
  }

  const std::shared_ptr<reactor::Reactor> reactor_;
  const std::shared_ptr<Channel> channel_;
  reactor::Watch in_, out_;
};

// ------------------------------------------------------------ operations

void Channel::begin(Side side, const Operation& operation) {
  Lock lock = enter();
  if (side == Side::sender) check_sending(operation->item);
  Operation& present = side == Side::sender ? sending_ : receiving_;
  if (present)
    throw std::logic_error("an asynchronous operation of this end of the channel is under way");
  present = operation;
  advance(std::move(lock));
}

void Channel::cancel(Side side, const Operation& operation) {
  if (!home_.here()) return;
  Finished finished;
  {
    const std::lock_guard lock(mutex_);
    Operation& present = side == Side::sender ? sending_ : receiving_;
    const bool is_partly_out = side == Side::sender && out_ && out_->mid_item();
    if (present != operation || is_partly_out) return;
    const Error why(errc::cancelled, "the operation was cancelled");
    finish(present, finished, &why);
    if (pump_) pump_->wake();
  }
  tell(finished);
}

void Channel::finish(Operation& operation, Finished& finished, const Error* why) {
  if (why) operation->error = std::make_exception_ptr(*why);
  finished.push_back(std::exchange(operation, nullptr));
}

void Channel::tell(const Finished& finished) noexcept {
  for (const Operation& operation : finished) operation->pending.call_settled();
}

// ------------------------------------------------------------ moving

// After every change but those that only a port sees.
void Channel::advance(Lock lock) {
  Finished finished;
  if (pump_) {
    pump_->wake();
  } else {
    while (step(finished)) continue;
    if (needs_pump()) start_pump();
    if (!pump_ && (sending_ || receiving_)) step(finished);  // for want of one
  }
  changed_.notify_all();
  lock.unlock();
  tell(finished);
}

void Channel::start_pump() noexcept try {
  pump_ = std::make_shared<Pump>(shared_from_this());
  pump_->wake();
} catch (const std::exception& error) {
  lose_port(Side::sender, error.what());
  lose_port(Side::receiver, error.what());
}

void Channel::lose_port(Side side, const char* why) {
  state_.lose(side, Error(errc::channel_closed,
                          std::string("nobody can wait for the channel's other end: ") + why));
  // Nor is that end to wait for this one.
  if (side == Side::receiver && out_ && !std::exchange(out_left_, true))
    out_->leave(ipc::Leave::broken);
  if (side == Side::sender && in_ && !std::exchange(in_left_, true)) in_->leave();
}

// True when there is more to be done at once.
bool Channel::step(Finished& finished) {
  look_at_receiver();
  int moves = 0;
  while (moves < moves_in_a_turn && move_one(finished)) ++moves;
  pass_on_ends();
  return moves == moves_in_a_turn;
}

bool Channel::move_one(Finished& finished) {
  return move_out() || take_send(finished) || pass_through() || give_receive(finished);
}

// What lay here when its receiver was moved.
bool Channel::move_out() {
  if (!out_ || queue_.empty() || state_.send_error()) return false;
  if (queue_.front().size() > max_item_) {
    state_.lose(Side::receiver, Error(errc::message_too_large,
                                      "the channel holds an item larger than max_message allows"));
    return false;
  }
  if (!push(queue_.front())) return false;
  queue_.pop_front();
  return true;
}

bool Channel::take_send(Finished& finished) {
  if (!sending_) return false;
  if (const auto error = state_.send_error()) return finish(sending_, finished, &*error), true;
  Buffer& item = sending_->item;
  if (out_ ? !queue_.empty() || !push(item) : queue_.size() >= capacity_) return false;
  if (!out_) queue_.push_back(std::move(item));
  finish(sending_, finished);
  return true;
}

bool Channel::pass_through() {
  if (!passes_through() || !queue_.empty()) return false;
  Buffer item;
  if (!pull(item)) return false;
  queue_.push_back(std::move(item));
  return true;
}

bool Channel::give_receive(Finished& finished) {
  if (!receiving_) return false;
  Buffer& item = receiving_->item;
  if (!queue_.empty()) {
    item = std::move(queue_.front());
    queue_.pop_front();
    receiving_->got = Got::item;
  } else if (in_ && pull(item)) {
    receiving_->got = Got::item;
  } else {
    const auto left = state_.what_is_left();
    if (left.error) return finish(receiving_, finished, &*left.error), true;
    receiving_->got = left.got;
    if (left.got == Got::nothing) return false;
  }
  finish(receiving_, finished);
  return true;
}

void Channel::pass_on_ends() {
  if (!state_.open(Side::receiver)) {
    queue_.clear();
    if (in_ && !std::exchange(in_left_, true)) in_->leave();
    return;
  }
  const bool nothing_more = !state_.open(Side::sender) && (!in_ || in_drained_);
  if (!out_ || !nothing_more || !queue_.empty() || sending_) return;
  if (!std::exchange(out_left_, true))
    out_->leave(state_.closed(Side::sender) ? ipc::Leave::closed : ipc::Leave::broken);
}

bool Channel::passes_through() const {
  return in_ && out_ && !in_drained_ && state_.open(Side::receiver);
}

bool Channel::needs_pump() const {
  const bool waits_to_send = out_ && (!queue_.empty() || sending_);
  const bool waits_for_item = in_ && receiving_;
  return waits_to_send || waits_for_item || passes_through();
}

// True when a port has something already.
bool Channel::arm() {
  bool ready = false;
  if (out_ && !out_->hung_up() && (!queue_.empty() || sending_)) ready |= out_->arm();
  const bool wants_item = receiving_ || (passes_through() && queue_.empty());
  if (in_ && !in_->hung_up() && wants_item) ready |= in_->arm();
  return ready;
}

}  // namespace bulkhead::rpc
