// Answers the requests of a service that has coroutine handlers: on an io_context, which the
// worker's threads run and the ring's doorbell wakes.
//
// Requests are taken up in turns, by one thread at a time, and no more than `at_once` are under
// way. A coroutine runs in the turn until it first waits, on a strand of its own call's. A plain
// handler keeps the thread; the next turn is another's.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "bulkhead/detail/dispatcher.hpp"
#include "rpc/worker_end.hpp"
#include "worker/handling.hpp"
#include "worker/nap.hpp"

namespace bulkhead::worker {

class EventLoop {
 public:
  EventLoop(rpc::WorkerEnd& app, Helpers& helpers, detail::Dispatcher& dispatcher, unsigned threads,
            unsigned at_once);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // By each of the threads, until the app has asked to leave and the last call is answered. What
  // escapes from something that a handler has left there ends the process, and so does its thread's
  // end.
  void run();

 private:
  class Call;
  using CallPtr = std::shared_ptr<Call>;

  void run_in_process() noexcept { context_.run(); }
  void run_standing_in();
  void post_turn();
  void turn();
  bool take_up_next();
  bool begin(const CallPtr& call);
  void begin_coroutine(const CallPtr& call);
  void ended();
  bool is_full();
  void sleep();
  void wake_up();
  void leave();

  rpc::WorkerEnd& app_;
  Helpers& helpers_;
  detail::Dispatcher& dispatcher_;
  const unsigned threads_, at_once_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;

  // For whoever has the turn.
  CallPtr next_;                                // whose request comes
  boost::asio::posix::stream_descriptor bell_;  // the connection's own

  // Nobody has the turn while it is asleep or full: who ends that posts the next.
  Nap nap_;                              // until more comes
  std::atomic<bool> full_ = false;       // until a call ends
  std::atomic<bool> listening_ = false;  // a wait for the bell is under way
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> given_up_ = false;
  std::atomic<unsigned> under_way_ = 0;
};

}  // namespace bulkhead::worker
