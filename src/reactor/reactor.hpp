// The one thread that waits: for timers, doorbells, ends of processes, and what other threads post.
// Shared by all pools and workers of a process: it starts with the first and ends with the last.
// Thread safe. Nothing that runs on it may block. A forked process has none until it makes its own:
// the one that it inherited has no thread there, and must be left alone, not even destroyed.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace bulkhead::reactor {

class Reactor {
 public:
  // The process's reactor, made if there is none.
  static std::shared_ptr<Reactor> acquire();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  boost::asio::io_context& context() { return *context_; }
  // Whether this is the thread of one.
  static bool is_this_thread();
  bool on_its_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

  template <class Work>
  void post(Work&& work) {
    boost::asio::post(*context_, std::forward<Work>(work));
  }

 private:
  Reactor();

  // Shared with the thread: the last owner may let go on that very thread, which then outlives
  // this object by a moment.
  std::shared_ptr<boost::asio::io_context> context_;
  std::thread thread_;
};

// Something that happens once, on the reactor, and that other threads wait for, or what runs there
// wants to be told of.
class Moment {
 public:
  void happen() {
    // Once it has happened, a thread that waited for it may end its life.
    const auto due = std::exchange(then_, {});
    happened_.store(true, std::memory_order_release);
    happened_.notify_all();
    for (const auto& work : due) work();
  }
  // On the reactor: does `work` when it happens, or now if it has.
  void then(std::function<void()> work) {
    if (happened()) return work();
    then_.push_back(std::move(work));
  }
  bool happened() const { return happened_.load(std::memory_order_acquire); }
  // On the reactor's own thread, what is due meanwhile goes on inside this call.
  void wait(Reactor& reactor) const;

 private:
  std::atomic<bool> happened_ = false;
  std::vector<std::function<void()>> then_;  // only on the reactor
};

}  // namespace bulkhead::reactor
