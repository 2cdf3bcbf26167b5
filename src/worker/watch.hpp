// Descriptors that the reactor watches for a worker: a socket, a pidfd, or a pipe of its output.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <utility>

#include "platform/fd.hpp"
#include "process/output.hpp"
#include "reactor/reactor.hpp"

namespace bulkhead::worker {

// Calls back on the reactor whenever a descriptor is readable, until it is stopped. The descriptor
// stays its owner's, who stops the watch before closing it.
class Watch {
 public:
  explicit Watch(reactor::Reactor& reactor) : descriptor_(reactor.context()) {}
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // `on_readable` returns false when it wants to hear no more. `owner` is kept alive while it runs
  // and nothing is called once it is gone.
  template <class Owner, class OnReadable>
  void start(const platform::Fd& fd, std::weak_ptr<Owner> owner, OnReadable on_readable) {
    descriptor_.assign(fd.get());
    wait(std::move(owner), std::move(on_readable));
  }
  void stop() {
    if (descriptor_.is_open()) static_cast<void>(descriptor_.release());
  }
  bool running() const { return descriptor_.is_open(); }

 private:
  template <class Owner, class OnReadable>
  void wait(std::weak_ptr<Owner> owner, OnReadable on_readable) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [this, owner = std::move(owner), on_readable = std::move(on_readable)](
                               const boost::system::error_code& error) mutable {
                             const auto alive = owner.lock();
                             if (error || !alive || !descriptor_.is_open()) return;
                             if (on_readable() && descriptor_.is_open())
                               wait(std::move(owner), std::move(on_readable));
                           });
  }

  boost::asio::posix::stream_descriptor descriptor_;
};

// What a process writes, passed on to one of the app's own standard descriptors in whole lines.
class ForwardedOutput {
 public:
  // `number`: 1 or 2, of the app.
  ForwardedOutput(reactor::Reactor& reactor, platform::Fd read_end, int number);

  template <class Owner>
  void start(std::weak_ptr<Owner> owner) {
    watch_.start(output_.fd(), std::move(owner), [this] { return drain(); });
  }
  // After the process's death: takes what is left. Never waits for the pipe's end.
  void finish();
  std::string tail() const { return output_.tail(); }

 private:
  bool drain();

  process::Output output_;
  Watch watch_;  // ends before the pipe does
};

}  // namespace bulkhead::worker
