// Tells the owner of a pool what happens in it, one event at a time and in order, on the owner's
// executor: whoever has something to tell never waits for it. Thread safe.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "bulkhead/event.hpp"

namespace bulkhead::pool {

class Events final : public std::enable_shared_from_this<Events> {
 public:
  using Callback = std::function<void(const Event&)>;

  Events(Callback callback, boost::asio::any_io_executor executor)
      : callback_(std::move(callback)), executor_(std::move(executor)) {}

  // Settled calls and lines of output are left out while too many wait to be told; nothing else is.
  void tell(Event&& event);
  // The callback is not called any more once it returns. `all_first`: what there is is told before;
  // only where the executor runs without the calling thread.
  void close(bool all_first);

 private:
  static constexpr std::size_t most_minor = 4096;

  using Lock = std::unique_lock<std::mutex>;
  void post(Lock lock);
  void tell_some();
  void call(const Event& event);

  const Callback callback_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  boost::asio::any_io_executor executor_;  // let go of at the end: it may keep a thread going
  std::deque<Event> events_;
  std::size_t minor_ = 0;  // of them
  std::uint64_t missed_ = 0;
  bool posted_ = false, closed_ = false;
  std::thread::id teller_;  // who is in the callback
};

}  // namespace bulkhead::pool
