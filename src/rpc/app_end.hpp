// The app's end of a connection: calls go out, checked answers come in. Trusts nothing it reads.
//
// Two sides, used by different threads at the same time:
//   - sending and the table of open calls: under the lock of the owner;
//   - receiving: by whoever has the receive role (receive_role.hpp). Nobody receives without it.
#pragma once

#include <array>
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
#include "rpc/app_blobs.hpp"
#include "rpc/open_call.hpp"
#include "rpc/wire.hpp"

namespace bulkhead::rpc {

class AppEnd final : public detail::Sleeper {
 public:
  AppEnd(ipc::Segment segment, ipc::Doorbell bell, std::size_t max_message);
  ~AppEnd() override;

  // Before it is used: from now on buffers go beside messages. As AppBlobs has it.
  void carry_bytes(platform::Fd socket, const BytesLimits& limits, std::function<void()> ring);
  // The same for ends of channels, which go along with buffers.
  void carry_channels(AppChannels::Trouble trouble);
  // Null: none is carried. For any thread; what is sent about them goes out by flush().
  const std::shared_ptr<AppBlobs>& blobs() const { return blobs_; }

  // The worker is gone: its channels end. Nothing without any.
  void end_channels(const Error& why);

  // --- under the owner's lock

  // How many calls it runs at once, as its `ready` says: one unless told.
  void runs(std::size_t at_once) { at_once_ = at_once; }
  std::size_t runs() const { return at_once_; }
  // Gives the worker a call, of which it holds fewer than `capacity`. It goes out at once, or when
  // there is room in the ring.
  void hand_over(OpenCall&& call);
  // The same, but if this is true the worker sleeps, and ring() is to follow, which needs no lock.
  [[nodiscard]] bool hand_over_unrung(OpenCall&& call);
  void ring() const { link_.ring(ipc::Ear::usual); }
  // Asks the worker to end when it has done what it was given.
  void leave();
  // Sends what had no room so far; to be called whenever the worker has made room.
  void flush();
  // Takes back up to `count` calls that the worker has not begun, the latest first.
  std::vector<OpenCall> take_back(std::size_t count);
  // Where it is among those that the worker has; empty: it is not.
  std::optional<Slot> find(const detail::Call& call) const;
  OpenCall& at(Slot slot) { return entries_[slot].open; }
  Ticket ticket_at(Slot slot) const { return entries_[slot].ticket; }
  // Which call it has under this ticket.
  OpenCall* under(Ticket ticket);
  // Takes this one back, if the worker has not begun it.
  std::optional<OpenCall> take_back_at(Slot slot);
  // Tells the handler that runs it to stop.
  void ask_to_stop(Slot slot);
  // Whatever still runs there, by any thread and without the lock.
  void ask_all_to_stop();
  bool has_begun(Slot slot) const { return !not_begun(slot); }
  // Those that it has begun, in the order in which they were given.
  std::vector<const OpenCall*> begun() const;
  // When it began, at the latest, in a worker that runs one at a time, and if it is the one.
  std::optional<OpenCall::Time> began_by(Slot slot) const;
  // The call that `head` is about, which stays open. Null: it is about none, as no worker's is.
  OpenCall* about(const Head& head);
  // The call that `head` answers, no longer open. Empty: it answers none, which no worker does.
  std::optional<OpenCall> close(const Head& head, OpenCall::Time now = {});
  // When it last answered one. For whoever closes them.
  OpenCall::Time last_answer() const { return last_answer_; }
  // Puts back a call whose answer could not be one: it counts as begun.
  void reopen(OpenCall call);
  struct Left {
    std::vector<OpenCall> begun, not_begun;  // in the order in which they were given
  };
  // Takes everything out, once the worker is dead.
  Left drain();
  // How many calls it has. For any thread, as a hint.
  std::size_t held() const { return held_.load(std::memory_order_relaxed); }
  // The worker broke the rules of the request ring: it is to be ended.
  bool send_violated() const { return send_violated_; }

  // --- with the receive role

  // From any thread: wakes the one that has the role, if it sleeps.
  void nudge() noexcept override { link_.bell().nudge(); }

  struct Message {
    Head head;
    ipc::Buffer bytes;                         // the head's and the body's
    OpenCall open = {};                        // for whoever closes the call that it answers
    std::chrono::nanoseconds waited{}, ran{};  // that call, for whoever measures it
    std::span<const std::byte> body() const { return std::span(bytes).subspan(sizeof(Head)); }
    bool is_answer() const {
      return head.kind == Kind::response || head.kind == Kind::threw ||
             head.kind == Kind::too_large;
    }
  };
  enum class Received { message, nothing, violation };
  // Never waits. After a violation there is nothing more to receive; violation() says what it was.
  Received receive(Message& message);
  // Several at once, and what there was behind them: `message` if there may be more. What is no
  // answer comes last. They stay until the next call.
  struct Batch {
    std::span<Message> messages;
    Received behind;
  };
  Batch receive_batch();
  const std::string& violation() const { return violation_; }
  // The same for what its owner found: nothing more is received.
  void distrust(std::string what) { violation_ = std::move(what); }

  ipc::Link& link() { return link_; }

 private:
  struct Entry {
    OpenCall open;
    Ticket ticket = 0;                 // 0: the slot is free
    Slot before = none, after = none;  // in the order in which they were given
  };
  static constexpr Slot none = ~Slot{};
  struct Outgoing {
    Head head;
    std::shared_ptr<detail::Call> call;  // null: nothing, or nothing more, follows the head
    std::size_t sent = 0;                // bytes of the body
    bool begun = false;                  // its head is out
  };

  ipc::Link::Unrung send_whole(const Head& head, const detail::Call& call);
  bool send_some(Outgoing& message);
  bool send_frame(std::span<const std::byte> head, std::span<const std::byte> body, bool more);
  bool not_begun(Slot slot) const;
  bool keeps_from_worker(Slot slot);
  OpenCall release(Slot slot);
  Slot take_slot();
  void free_slot(Slot slot);
  std::size_t next_in_ring(std::size_t at) const { return ++at == free_slots_.size() ? 0 : at; }
  void put_last(Slot slot);
  void unlink(Slot slot);
  std::deque<Outgoing>::iterator find_outgoing(Ticket ticket);
  void forget_outgoing(Ticket ticket);
  Received violate(std::string what);
  ipc::Read receive_frame();
  void make_room();
  const char* fault_of_part(std::size_t before, bool last);
  const char* fault_of(const Head& head) const;
  static const char* fault_of_line(const Head& head);

  ipc::Link link_;
  const std::size_t max_message_;
  const std::span<std::atomic<std::uint64_t>> slots_;
  std::shared_ptr<AppBlobs> blobs_;        // synchronizes itself
  std::shared_ptr<AppChannels> channels_;  // synchronizes itself
  // Made early: where it is needed there may be no memory for it.
  const Error gone_{errc::channel_closed, "the channel's other end is gone with its worker"};

  // under the owner's lock
  std::vector<Entry> entries_;  // by slot
  // A ring: what was freed first is used first, so that the app does not write into a cache line
  // in which the worker claims its next call.
  std::vector<Slot> free_slots_;
  std::size_t first_free_ = 0, after_last_free_ = 0;
  std::atomic<std::size_t> held_ = 0;  // changed under the lock only
  Slot first_given_ = none, last_given_ = none;
  std::deque<Outgoing> outbox_;
  std::vector<OpenCall> reopened_;
  Ticket last_ticket_ = 0;
  bool send_violated_ = false;
  std::size_t at_once_ = 1;
  OpenCall::Time last_answer_{};

  // with the receive role
  Message incoming_;  // what has come of the next message
  std::array<Message, 16> batch_;
  std::string violation_;
};

}  // namespace bulkhead::rpc
