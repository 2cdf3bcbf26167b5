// A descriptor that the reactor watches: a socket, a pidfd, a pipe, a timer.
// Lives on the reactor, as its owner does.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include "platform/fd.hpp"
#include "platform/poll.hpp"
#include "reactor/reactor.hpp"

namespace bulkhead::reactor {

// Calls back whenever the descriptor is readable, until it is stopped. The descriptor stays its
// owner's, who stops the watch before closing it.
class Watch {
 public:
  explicit Watch(Reactor& reactor) : descriptor_(reactor.context()) {}
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // `on_readable` returns false when it wants to hear no more. `owner`, of which this is a part, is
  // kept alive while it runs, and nothing is called once it is gone. Throws std::system_error where
  // the kernel watches no more.
  template <class Owner, class OnReadable>
  void start(const platform::Fd& fd, std::weak_ptr<Owner> owner, OnReadable on_readable) {
    hold(fd);
    resume(std::move(owner), std::move(on_readable));
  }
  void stop() {
    ++turn_;
    if (descriptor_.is_open()) static_cast<void>(descriptor_.release());
  }
  bool running() const { return descriptor_.is_open(); }

  // The parts of start(), for one descriptor that is watched now and then: only the first can fail.
  void hold(const platform::Fd& fd) {
    stop();
    boost::system::error_code error;
    descriptor_.assign(fd.get(), error);
    if (error) throw std::system_error(error, "cannot watch a descriptor");
  }
  template <class Owner, class OnReadable>
  void resume(std::weak_ptr<Owner> owner, OnReadable on_readable) {
    pause();
    wait(std::move(owner), std::move(on_readable));
  }
  void pause() {
    ++turn_;
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  }

 private:
  template <class Owner, class OnReadable>
  void wait(std::weak_ptr<Owner> owner, OnReadable on_readable) {
    descriptor_.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, turn = turn_, owner = std::move(owner),
         on_readable = std::move(on_readable)](const boost::system::error_code& error) mutable {
          const auto alive = owner.lock();
          // It may have been stopped after it was found readable, and before this runs.
          if (error || !alive || turn != turn_) return;
          // Asio's record of a descriptor goes to the next one that is watched, and what was found
          // of the one before may come with it: a process would have ended, or a time come.
          const bool ready = platform::is_readable(descriptor_.native_handle());
          if (!ready || (on_readable() && turn == turn_))
            wait(std::move(owner), std::move(on_readable));
        });
  }

  boost::asio::posix::stream_descriptor descriptor_;
  std::uint64_t turn_ = 0;  // each stop begins another
};

}  // namespace bulkhead::reactor
