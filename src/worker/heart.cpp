#include "worker/heart.hpp"

#include <chrono>
#include <thread>

#include "platform/signals.hpp"

namespace bulkhead::worker {

void begin_beating(ipc::Hints& hints) {
  const std::chrono::milliseconds every(hints.beat_every_ms.load());
  if (every.count() == 0) return;
  // They are for the handlers' threads.
  const platform::BlockedSignals blocked(platform::BlockedSignals::Which::all_but_crashes);
  std::thread([&hints, pause = every / 2.0] {
    for (;;) {
      hints.beats.fetch_add(1, std::memory_order_relaxed);
      std::this_thread::sleep_for(pause);
    }
  }).detach();
}

}  // namespace bulkhead::worker
