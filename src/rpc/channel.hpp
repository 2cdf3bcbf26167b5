// A channel, as far as it lies in this process: items that wait, and on either side an end that
// somebody here has, or a port to the process where that end is.
//
//   sender here ─▶ queue ─▶ receiver here       both in this process
//   sender here ──────────▶ port out            the receiver is elsewhere
//       port in ──────────▶ receiver here       the sender is elsewhere
//       port in ─▶ queue ─▶ port out            both are: the items pass through
//
// Whoever waits in send() or receive() sleeps at the port itself. For all else that waits for a
// port (asynchronous operations, what passes through, what lay in the queue when an end was moved)
// the channel has a pump on this process's reactor; then the ports are the pump's alone.
//
// Thread safe, as far as each end is used by one thread at a time. In a fork of its process it does
// nothing.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ipc/port.hpp"
#include "platform/home_process.hpp"
#include "rpc/channel_state.hpp"

namespace bulkhead::rpc {

using ipc::Buffer;

// The process behind a port, where this one watches over it. Told under the channel's lock: nothing
// may come back before it returns.
class ChannelPeer {
 public:
  virtual void channel_violated(const std::string& how) = 0;
  // It closed its end without a word: it has ended, or never will. Channel::lose() follows.
  virtual void channel_hung_up() = 0;

 protected:
  ~ChannelPeer() = default;
};

class Channel final : public std::enable_shared_from_this<Channel> {
 public:
  using Side = detail::Side;
  using Got = detail::Got;
  using Operation = std::shared_ptr<detail::ChannelOperation>;

  explicit Channel(std::uint64_t capacity) : capacity_(capacity) {}

  std::uint64_t capacity() const { return capacity_; }

  // --- for who has an end here; as ChannelEnd has them

  void send(Buffer& item);
  bool try_send(Buffer& item);
  bool receive(Buffer& item);
  Got try_receive(Buffer& item);
  void begin(Side side, const Operation& operation);
  void cancel(Side side, const Operation& operation);
  void close(Side side);
  void abandon(Side side, const Error& why);
  [[noreturn]] void refuse(const char* how);

  // --- for connections

  struct Way {
    ipc::ChannelMemory memory;
    platform::Fd bell;
    std::size_t max_item;
    std::shared_ptr<ChannelPeer> peer = {};  // null: nobody tells of the other process's end
  };
  // That end is from now on in the process behind the port. False: it is not here any more. Calls
  // nobody back.
  bool move(Side side, Way way);
  bool away(Side side) const;
  // It will not be heard of any more. What it sent before is still received.
  void lose(Side side, const Error& why);

 private:
  class Pump;
  using Lock = std::unique_lock<std::mutex>;
  using Finished = std::vector<Operation>;

  Lock enter() const;

  // Under the lock:
  bool put(Buffer& item);
  bool push(Buffer& item);
  Got take(Buffer& item);
  bool pull(Buffer& item);
  void wait_for_room(Lock& lock);
  void wait_for_item(Lock& lock);
  void check_sending(const Buffer& item) const;
  void look_at_receiver();
  void hung_up(Side side);
  void violated(Side side, const std::string& how);

  // What no thread waits for (channel_pump.cpp), under the lock:
  void advance(Lock lock);
  bool step(Finished& finished);
  bool move_one(Finished& finished);
  bool move_out();
  bool take_send(Finished& finished);
  bool pass_through();
  bool give_receive(Finished& finished);
  void pass_on_ends();
  bool passes_through() const;
  bool needs_pump() const;
  void start_pump() noexcept;
  void lose_port(Side side, const char* why);
  bool arm();
  static void finish(Operation& operation, Finished& finished, const Error* why = nullptr);
  static void tell(const Finished& finished) noexcept;

  const platform::HomeProcess home_;
  const std::uint64_t capacity_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  ChannelState state_;
  std::optional<Error> refused_;  // what came was no item
  std::deque<Buffer> queue_;
  Operation sending_, receiving_;  // null: none is under way
  // Without the lock for the one who waits there, while there is no pump.
  std::optional<ipc::SendPort> out_;
  std::optional<ipc::ReceivePort> in_;
  std::shared_ptr<ChannelPeer> out_peer_, in_peer_;
  std::size_t max_item_ = std::size_t{1} << 30;
  bool out_left_ = false, in_left_ = false;  // the other process knows
  bool in_drained_ = false;                  // nothing will come any more
  std::shared_ptr<Pump> pump_;
};

}  // namespace bulkhead::rpc
