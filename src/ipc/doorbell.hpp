// How a side that sleeps is woken: a byte through a stream socketpair, of which each process has
// one end. A byte says only that something changed: look at everything. Bytes that find the socket
// full are not missed, since those before them were not heard yet.
//
// The peer can do nothing to the app's end but fill it or close its own: no call waits for it, and
// nothing depends on flags that it could change.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

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
  // The end that was passed to this process.
  explicit Doorbell(platform::Fd end) : end_(std::move(end)) {}

  // Wakes the other end's owner. From any thread, at any time.
  void ring() const noexcept;
  // Hears what has rung, by one bounded read: a peer that rings all the time is heard once a turn.
  Bell drain() const;
  // Waits until drain() has something to say. False at the deadline.
  bool wait(Deadline deadline) const;

  // For a reactor, to wait until it is readable.
  const platform::Fd& fd() const { return end_; }

 private:
  platform::Fd end_;
};

}  // namespace bulkhead::ipc
