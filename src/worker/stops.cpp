#include "worker/stops.hpp"

#include <algorithm>

#include "platform/futex.hpp"
#include "platform/signals.hpp"

namespace bulkhead::worker {

Stops::Call::~Call() {
  if (source_) stops_.forget(*this);
}

std::stop_token Stops::Call::token() {
  if (!source_) {
    source_.emplace();
    stops_.watch(*this);
    // Whoever looked before it was watched has not told it.
    if (stop_.requested()) source_->request_stop();
  }
  return source_->get_token();
}

void Stops::watch(Call& call) {
  const std::lock_guard lock(mutex_);
  watched_.push_back(&call);
  if (looks_.joinable()) return;
  // They are for the handlers' threads.
  const platform::BlockedSignals blocked(platform::BlockedSignals::Which::all_but_crashes);
  looks_ = std::thread([this] { keep_looking(); });
}

void Stops::forget(const Call& call) {
  const std::lock_guard lock(mutex_);
  std::erase(watched_, &call);
}

// Where the process goes on: else its end comes first.
Stops::~Stops() {
  if (!looks_.joinable()) return;
  ending_ = true;
  ++count_;
  platform::futex_wake_all(count_, platform::Sharing::processes);
  looks_.join();
}

void Stops::keep_looking() {
  while (!ending_) {
    const std::uint32_t seen = count_.load();
    look();
    platform::futex_wait(count_, seen, {}, platform::Sharing::processes);
  }
}

// Callbacks run without the lock: they may take their time, and other calls end meanwhile.
void Stops::look() {
  std::vector<std::stop_source> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const Call* const call : watched_)
      if (call->stop_.requested()) asked.push_back(*call->source_);
  }
  for (auto& source : asked) source.request_stop();
}

}  // namespace bulkhead::worker
