// A thread that calls run(), which may have to wait for room.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "faults/calls.hpp"
#include "support/blocked.hpp"

namespace bulkhead::test {

// Made once that waits or has returned.
template <class Request>
class CallingThread {
 public:
  CallingThread(TestPool& pool, Request request, RunOptions options = {})
      : thread_([this, &pool, request = std::move(request), options] {
          id_ = ::gettid();
          future_ = pool.run(request, options);
          returned_ = true;
        }) {
    const auto waits = [&] { return id_ != 0 && system_call_of(::getpid(), id_) == SYS_futex; };
    if (!wait_until([&] { return waits() || returned(); })) std::abort();
  }
  ~CallingThread() { thread_.join(); }
  CallingThread(const CallingThread&) = delete;
  CallingThread& operator=(const CallingThread&) = delete;

  bool returned() const { return returned_; }
  Future<typename Request::Response> take() {
    if (!wait_until([&] { return returned(); })) throw std::runtime_error("run() never returned");
    return std::move(future_);
  }

 private:
  Future<typename Request::Response> future_;
  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> returned_ = false;
  std::thread thread_;
};

}  // namespace bulkhead::test
