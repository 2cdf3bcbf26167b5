#include "ipc/listeners.hpp"

#include "platform/futex.hpp"

namespace bulkhead::ipc {

Bell Listeners::wait(std::uint32_t ticket, Deadline deadline) {
  if (!someone_listens_.exchange(true)) return listen(ticket, deadline);
  ++sleepers_;
  // The kernel compares once more: whoever listened changes the turn before it looks for sleepers.
  const bool woken = platform::futex_wait(turn_, ticket, deadline);
  --sleepers_;
  return woken ? Bell::rung : Bell::quiet;
}

Bell Listeners::listen(std::uint32_t ticket, Deadline deadline) {
  Bell heard = Bell::rung;
  // The one before may have heard our bell just now.
  if (turn_.load() == ticket) heard = bell_.hear(deadline);
  stop_listening();
  if (tell_loop_) tell_loop_();
  return heard;
}

Bell Listeners::hear_now() {
  if (someone_listens_.exchange(true)) return Bell::rung;
  const Bell heard = bell_.drain();
  stop_listening();
  return heard;
}

void Listeners::stop_listening() {
  ++turn_;
  someone_listens_ = false;
  if (sleepers_.load() != 0) platform::futex_wake_all(turn_);
}

}  // namespace bulkhead::ipc
