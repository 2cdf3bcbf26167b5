#include "worker/progress.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "platform/signals.hpp"

namespace bulkhead::worker {

void Progress::Call::send(detail::Buffer value) {
  if (!progress_.app_.fits(value.size()))
    throw std::length_error("a progress value has " + std::to_string(value.size()) +
                            " bytes, more than max_message allows");
  const std::lock_guard lock(progress_.mutex_);
  const bool is_first = !latest_;
  if (is_first && progress_.app_.try_tell(request_, value)) return;
  latest_ = std::move(value);
  if (is_first) progress_.send_later(*this);
}

bool Progress::Call::send_left() {
  const auto left = take();
  return !left || progress_.app_.tell(*left);
}

std::optional<rpc::WorkerEnd::Progress> Progress::Call::take() {
  const std::lock_guard lock(progress_.mutex_);
  if (!latest_) return std::nullopt;
  std::erase(progress_.waiting_, this);
  return rpc::WorkerEnd::Progress{request_, *std::exchange(latest_, std::nullopt)};
}

// Where there can be no thread, it goes before the answer.
void Progress::send_later(Call& call) {
  waiting_.push_back(&call);
  if (sends_.joinable()) return some_wait_.notify_one();
  try {
    // They are for the handlers' threads.
    const platform::BlockedSignals blocked(platform::BlockedSignals::Which::all_but_crashes);
    sends_ = std::thread([this] { keep_sending(); });
  } catch (const std::system_error&) {
  }
}

// Where the process goes on: else its end comes first.
Progress::~Progress() {
  if (!sends_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  some_wait_.notify_one();
  sends_.join();
}

// Whoever sends has its turn first, and takes the value then: no answer overtakes it.
void Progress::keep_sending() {
  do {
    std::unique_lock lock(mutex_);
    some_wait_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
  } while (app_.tell_next([this] { return take_first(); }));
}

std::optional<rpc::WorkerEnd::Progress> Progress::take_first() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  Call& call = *waiting_.front();
  waiting_.erase(waiting_.begin());
  return rpc::WorkerEnd::Progress{call.request_, *std::exchange(call.latest_, std::nullopt)};
}

}  // namespace bulkhead::worker
