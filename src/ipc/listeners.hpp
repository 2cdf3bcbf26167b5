// The threads of one process that sleep at one doorbell: some wait for a frame, others for room.
// One of them listens; when it has heard something, all look whether it was for them. A thread that
// listened alone would take away the bell that was meant for another.
//
// A sleeper takes its ticket before it says, in shared memory, that it sleeps: a bell that someone
// else hears after that ends its wait. Thread safe.
//
// An event loop may be one of them: it sleeps until the bell's descriptor is readable, and is told
// where a thread has heard instead.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "ipc/doorbell.hpp"

namespace bulkhead::ipc {

class Listeners {
 public:
  explicit Listeners(const Doorbell& bell) : bell_(bell) {}

  std::uint32_t ticket() const { return turn_.load(); }
  // Sleeps until the bell was heard since `ticket` was taken; `quiet` at the deadline. May return
  // `rung` early: look again.
  Bell wait(std::uint32_t ticket, Deadline deadline);

  // Before any thread waits: the loop's part. `tell` is called on the thread that has heard.
  void tell_loop(std::function<void()> tell) { tell_loop_ = std::move(tell); }
  // By the loop, when the bell is readable. Leaves it to a thread that listens.
  Bell hear_now();

 private:
  Bell listen(std::uint32_t ticket, Deadline deadline);
  void stop_listening();

  const Doorbell& bell_;
  std::function<void()> tell_loop_;      // empty: there is none
  std::atomic<std::uint32_t> turn_ = 0;  // grows each time that the one who listened leaves
  std::atomic<bool> someone_listens_ = false;
  std::atomic<std::uint32_t> sleepers_ = 0;  // the others: without any, nobody needs to be woken
};

}  // namespace bulkhead::ipc
