// The app's end of a connection: calls go out, checked answers come in. Trusts nothing it reads.
//
// Two sides, used by different threads at the same time:
//   - sending and the table of open calls: under the lock of the owner;
//   - receiving: by whoever holds the receive role. Nobody receives without it.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ipc/link.hpp"
#include "rpc/open_call.hpp"
#include "rpc/receive_role.hpp"
#include "rpc/wire.hpp"

namespace bulkhead::rpc {

class AppEnd {
 public:
  AppEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message);

  // --- under the owner's lock

  // How many calls it runs at once, as its `ready` says: one unless told.
  void runs(std::size_t at_once) { at_once_ = at_once; }
  // Gives the worker a call, of which it holds fewer than `capacity`. It goes out at once, or when
  // there is room in the ring.
  void hand_over(OpenCall call);
  // Asks the worker to end when it has done what it was given.
  void leave();
  // Sends what had no room so far; to be called whenever the worker has made room.
  void flush();
  // Takes back up to `count` calls that the worker has not begun, the latest first.
  std::vector<OpenCall> take_back(std::size_t count);
  // The call that `head` answers, no longer open. Empty: it answers none, which no worker does.
  std::optional<OpenCall> close(const Head& head);
  // Puts back a call whose answer could not be one: it counts as begun.
  void reopen(OpenCall call);
  struct Left {
    std::vector<OpenCall> begun, not_begun;  // in the order in which they were given
  };
  // Takes everything out, once the worker is dead.
  Left drain();
  // The worker broke the rules of the request ring: it is to be ended.
  bool send_violated() const { return send_violated_; }

  // --- with the receive role

  ReceiveRole& receive_role() { return receive_role_; }

  struct Message {
    Head head;
    ipc::Buffer bytes;  // the head's and the body's
    std::span<const std::byte> body() const { return std::span(bytes).subspan(sizeof(Head)); }
  };
  enum class Received { message, nothing, violation };
  // Never waits. After a violation there is nothing more to receive; violation() says what it was.
  Received receive(Message& message);
  const std::string& violation() const { return violation_; }
  // The same for what its owner found: nothing more is received.
  void distrust(std::string what) { violation_ = std::move(what); }

  ipc::Link& link() { return link_; }

 private:
  struct Entry {
    OpenCall open;
    Ticket ticket = 0;  // 0: the slot is free
  };
  struct Outgoing {
    Head head;
    std::shared_ptr<detail::Call> call;  // null: nothing, or nothing more, follows the head
    std::size_t sent = 0;                // bytes of the body
    bool begun = false;                  // its head is out
  };

  bool send_some(Outgoing& message);
  bool send_frame(std::span<const std::byte> head, std::span<const std::byte> body, bool more);
  bool not_begun(Slot slot) const;
  OpenCall release(Slot slot);
  void remember_order(Slot slot, Ticket ticket);
  void forget_outgoing(Ticket ticket);
  Received violate(std::string what);
  const char* fault_of_part(std::size_t before, bool last);
  const char* fault_of(const Head& head) const;

  ipc::Link link_;
  const std::size_t max_message_;
  const std::span<std::atomic<std::uint64_t>> slots_;

  // under the owner's lock
  std::vector<Entry> entries_;  // by slot
  std::vector<Slot> free_slots_;
  // As they were given; the answered ones among them have another ticket in their slot.
  std::deque<std::pair<Slot, Ticket>> order_;
  std::deque<Outgoing> outbox_;
  std::vector<OpenCall> reopened_;
  Ticket last_ticket_ = 0;
  bool send_violated_ = false;
  std::size_t at_once_ = 1;
  OpenCall::Time last_answer_{};

  // with the receive role
  ReceiveRole receive_role_;  // synchronizes itself
  Message incoming_;          // what has come of the next message
  std::string violation_;
};

}  // namespace bulkhead::rpc
