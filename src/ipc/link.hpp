// One end of the connection between an app and a worker: both rings of their segment, the doorbell,
// and when to spin. Moves frames and knows nothing of what is in them.
//
// Sending and receiving share no state: one thread may send while another receives. Two threads
// must not send at once (the app sends under its owner's lock), nor two receive (the app receives
// in whoever holds the receive role). ring() and drain() of the doorbell are for any thread.
//
// After a violation by the peer that side of the link does nothing any more: the peer is to be
// ended. A peer's death takes nothing away from what it had published: receive until `empty`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "ipc/doorbell.hpp"
#include "ipc/listeners.hpp"
#include "ipc/ring.hpp"
#include "ipc/segment.hpp"
#include "ipc/spinner.hpp"

namespace bulkhead::ipc {

enum class End { app, worker };

// How a worker's wait ended.
enum class Wake {
  ready,    // there is what it waited for, or a violation to be told of
  closed,   // the other end is gone
  timeout,  // the deadline has passed
};

class Link {
 public:
  Link(End end, Segment segment, Doorbell bell);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const Segment& segment() const { return segment_; }
  // Once the worker has opened the segment.
  void unlink_segment() { segment_.unlink(); }
  const Doorbell& bell() const { return bell_; }

  // --- Sending: one thread at a time.

  std::size_t largest_payload() const { return writer_.largest_payload(); }
  std::size_t room() { return writer_.room(); }
  // Sends one frame with the payload `head` then `body`, and wakes the peer if it sleeps.
  // `flags`: 0, or `more` if the next frame continues the message. Never waits.
  [[nodiscard]] Write send(std::span<const std::byte> head, std::span<const std::byte> body,
                           std::uint32_t flags = 0);
  // The same without waking it: where it is to be rung for then, if it sleeps, once for each sleep.
  struct Unrung {
    Write write;
    std::optional<Ear> sleeper = {};
  };
  [[nodiscard]] Unrung send_unrung(std::span<const std::byte> head, std::span<const std::byte> body,
                                   std::uint32_t flags = 0);
  void ring(Ear sleeper) const { bell_.ring(sleeper); }
  // Spins as long as it is worth it until a frame of `payload` bytes has room. True if it has.
  bool spin_for_room(std::size_t payload, SpinPolicy::Time limit);
  // From now on the doorbell rings when there is room. True if it need not: there is room now.
  [[nodiscard]] bool arm_for_room(std::size_t payload);
  void disarm_for_room() { writer_.cancel_sleep(); }

  // --- Receiving: one thread at a time.

  // Appends the next frame's payload to `out`. Never waits. As RingReader::read.
  [[nodiscard]] Read receive(Buffer& out);
  // Spins as long as it is worth it until receive() has something. True if it has.
  bool spin_for_frame(SpinPolicy::Time limit);
  // From now on the doorbell rings when a frame comes. True if it need not: there is one now.
  [[nodiscard]] bool arm(Ear ear = Ear::usual) { return reader_.prepare_sleep(ear); }
  void disarm() { reader_.cancel_sleep(); }

  // --- The worker's waits: spin, then sleep at the doorbell. One thread may wait for a frame
  // while another waits for room.

  // True if there is a frame; false if it is not worth it to spin for one.
  bool worker_spins_for_frame() { return spin_for_frame(worker_limit()); }
  Wake wait_for_frame(Deadline deadline = {});
  Wake wait_for_room(std::size_t payload, Deadline deadline = {});
  // For an event loop instead, which waits until bell() is readable: as Listeners.
  Listeners& listeners() { return listeners_; }

 private:
  template <class Arm, class Disarm>
  Wake sleep(Deadline deadline, Arm arm, Disarm disarm);
  SpinPolicy::Time worker_limit() const;
  void publish_core_now_and_then();

  // Constant after construction, but for the segment's name; the bell may be rung by any thread.
  Segment segment_;
  const Doorbell bell_;
  std::atomic<std::uint32_t>& my_core_;
  const std::atomic<std::uint32_t>& peer_core_;
  Listeners listeners_;  // synchronizes itself

  // Sending. On other cache lines than receiving, for each may have a core of its own.
  alignas(cache_line) RingWriter writer_;
  Spinner for_room_;
  unsigned sent_ = 0;

  // Receiving.
  alignas(cache_line) RingReader reader_;
  Spinner for_frame_;
};

}  // namespace bulkhead::ipc
