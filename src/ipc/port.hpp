// Where a channel leaves this process, or comes into it: items through shared memory, and a
// doorbell of its own.
//
// Neither side trusts the other: as with a ring, each word of the peer's is loaded once, checked,
// then used. What cannot be is a violation, which stays. An item counts once all of it is
// published, and what a peer has published before its end is received before anything is said of
// that end.
//
// For one thread at a time, but leave(), hang_up() and what is const is for any. Wake-ups are as
// those of a ring.
#pragma once

#include <cstddef>
#include <span>

#include "ipc/channel_memory.hpp"
#include "ipc/credit.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/ring.hpp"
#include "ipc/spinner.hpp"

namespace bulkhead::ipc {

class Port {
 public:
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // For a reactor, to wait until it is readable.
  const platform::Fd& bell() const { return bell_; }
  // What has rung, without waiting. Closed: the other end is gone, or its process is.
  Bell hear();
  // As last heard, by whoever listened.
  bool hung_up() const { return hung_up_.load(); }
  // Wakes whoever sleeps here, by the same end.
  void hang_up() const;

 protected:
  enum class Role { sends, receives };
  Port(Role role, ChannelMemory memory, platform::Fd bell);
  ~Port() = default;
  void ring() const;
  void sleep();
  static SpinPolicy::Time spin_limit();

  const ChannelMemory memory_;
  ChannelControl& control_;
  Spinner spinner_;

 private:
  platform::Fd bell_;
  std::atomic<bool> hung_up_ = false;
};

class SendPort final : public Port {
 public:
  SendPort(ChannelMemory memory, platform::Fd bell, std::uint64_t capacity);

  enum class Push {
    done,
    full,       // not all of it is out: wait, and go on with the same item
    closed,     // the receiver has left
    violation,  // it broke the rules
  };
  // Sends as much of the item as there is room for.
  [[nodiscard]] Push push(std::span<const std::byte> item);
  // Whether an item of this size can be sent at once, now or ever.
  bool fits(std::size_t item);
  bool ever_fits(std::size_t item) const;

  // Spins as long as it is worth it, then sleeps, until push() is worth trying.
  void wait();
  // From now on the bell rings when it is. True: it need not, it is so now.
  [[nodiscard]] bool arm();
  void disarm();
  void leave(Leave how);
  // Whether the receiver has said so.
  bool receiver_left() const;
  // Part of an item is out, and the rest has to follow.
  bool mid_item() const { return sent_ != 0; }

 private:
  bool look();
  bool has_left();
  bool may_go_on();

  RingWriter writer_;
  Credit credit_;
  std::size_t sent_ = 0;  // of the item that is partly out
  std::size_t next_ = 0;  // what the frame holds that had no room
  bool violated_ = false;
};

class ReceivePort final : public Port {
 public:
  // Larger items are violations.
  ReceivePort(ChannelMemory memory, platform::Fd bell, std::size_t max_item);

  enum class Pull {
    item,
    empty,
    ended,      // the sender has closed
    broken,     // it has left before the end
    violation,  // it broke the rules
  };
  // Replaces what is in `item`.
  [[nodiscard]] Pull pull(Buffer& item);

  // As SendPort has them.
  void wait();
  [[nodiscard]] bool arm();
  void disarm() { reader_.cancel_sleep(); }
  void leave();
  // Whether the sender has said that nothing follows what there is.
  bool sender_left() const;

 private:
  Pull what_is_left(Leave left) const;
  void took_one();

  RingReader reader_;
  const std::size_t max_item_;
  Buffer incoming_;  // what has come of the next item
  std::uint64_t taken_ = 0;
};

}  // namespace bulkhead::ipc
