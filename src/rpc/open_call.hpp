// A call that its owner keeps track of: what the caller waits on, its life, and where it is.
// Passed by value from queue to worker and back, under the owner's lock.
#pragma once

#include <chrono>
#include <memory>

#include "bulkhead/detail/call.hpp"
#include "rpc/call_life.hpp"
#include "rpc/wire.hpp"

namespace bulkhead::rpc {

struct OpenCall {
  using Time = std::chrono::steady_clock::time_point;

  std::shared_ptr<detail::Call> call;
  CallLife life;
  CallId id = 0;
  // When its present worker was given it, or came to it after others. One that runs several at
  // once does not tell when it came to which.
  Time since{};
  // When it was first seen to run, in a worker that runs several at once. Only if somebody looked.
  Time seen_running{};
  // If it is measured: when it was asked for, and given to a worker that had a thread free.
  Time asked{}, given{};
};

}  // namespace bulkhead::rpc
