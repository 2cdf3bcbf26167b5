#include "pool/events.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "platform/log.hpp"

namespace bulkhead::pool {

void Events::tell(Event&& event) {
  const bool minor = event.kind == EventKind::call_settled || event.kind == EventKind::output;
  Lock lock(mutex_);
  if (closed_) return;
  if (minor && minor_ >= most_minor) {
    ++missed_;
    return;
  }
  minor_ += minor;
  event.missed = minor ? std::exchange(missed_, 0) : 0;
  events_.push_back(std::move(event));
  if (!std::exchange(posted_, true)) post(std::move(lock));
}

// Not under the lock: an executor may run it at once.
void Events::post(Lock lock) {
  const auto executor = executor_;
  lock.unlock();
  boost::asio::post(executor, [self = shared_from_this()] { self->tell_some(); });
}

// Those that are there; others have their turn between.
void Events::tell_some() {
  std::deque<Event> events;
  {
    const std::lock_guard lock(mutex_);
    events.swap(events_);
    minor_ = 0;
  }
  for (const Event& event : events) call(event);
  Lock lock(mutex_);
  posted_ = !events_.empty();
  posted_ ? post(std::move(lock)) : changed_.notify_all();
}

void Events::call(const Event& event) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    teller_ = std::this_thread::get_id();
  }
  try {
    callback_(event);
  } catch (const std::exception& error) {
    platform::logger()->error("PoolOptions::on_event threw: {}", error.what());
  } catch (...) {
    platform::logger()->error("PoolOptions::on_event threw");
  }
  const std::lock_guard lock(mutex_);
  teller_ = {};
  changed_.notify_all();
}

void Events::close(bool all_first) {
  std::unique_lock lock(mutex_);
  const bool from_callback = teller_ == std::this_thread::get_id();
  if (all_first && !from_callback) changed_.wait(lock, [this] { return !posted_; });
  closed_ = true;
  events_.clear();
  executor_ = {};
  if (!from_callback) changed_.wait(lock, [this] { return teller_ == std::thread::id(); });
}

}  // namespace bulkhead::pool
