// How a side that sleeps is woken: a byte through a stream socketpair, of which each process has
// one end. A byte says only that something changed: look at everything. Bytes that find the socket
// full are not missed, since those before them were not heard yet.
//
// There are two such pairs. At the usual one listen a worker's threads, and the app's reactor. The
// direct one is for a thread of the app that waits for an answer: it is woken by the worker itself,
// and the reactor is left alone.
//
// The peer can do nothing to the app's ends but fill them or close its own: no call waits for that,
// and nothing depends on flags that it could change.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "ipc/ring_memory.hpp"
#include "platform/fd.hpp"

namespace bulkhead::ipc {

// Without one, for ever.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

enum class Bell {
  rung,
  quiet,
  closed,  // the other end is gone, or its process is
};

class Doorbell {
 public:
  // The app's end and the worker's.
  static std::pair<Doorbell, Doorbell> make();
  // The ends that were passed to this process, in the order of fds().
  Doorbell(platform::Fd usual, platform::Fd direct)
      : usual_(std::move(usual)), direct_(std::move(direct)) {}

  // Wakes the other end's owner. From any thread, at any time.
  void ring(Ear ear = Ear::usual) const noexcept;
  // Hears what has rung, by one bounded read: a peer that rings all the time is heard once a turn.
  Bell drain() const;
  // The same, once there is something to be heard: quiet at the deadline.
  Bell hear(Deadline deadline, Ear ear = Ear::usual) const;
  // In the app: wakes its own thread that hears directly. From any thread.
  void nudge() const noexcept;
  // Closed from now on for both ends, and for all that hold them.
  void hang_up() const noexcept;
  // Another owner of this end.
  Doorbell duplicate() const;

  // For a reactor, to wait until it is readable.
  const platform::Fd& fd() const { return usual_; }
  // To be passed to another process.
  std::array<const platform::Fd*, 2> fds() const { return {&usual_, &direct_}; }

 private:
  platform::Fd usual_, direct_;
  platform::Fd nudge_;  // the app's: the other end of its direct one
};

}  // namespace bulkhead::ipc
