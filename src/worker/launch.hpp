// What is common to starting workers: how long to wait for them.
#pragma once

#include <chrono>
#include <vector>

#include "bulkhead/error.hpp"
#include "rpc/app_end.hpp"
#include "rpc/open_call.hpp"

namespace bulkhead::worker {

// BULKHEAD_CONNECT_TIMEOUT (whole seconds) if it is set, else `configured`. Empty or 0 stands for
// the latter too; what makes no sense is logged and ignored.
std::chrono::milliseconds connect_timeout(std::chrono::milliseconds configured);

// As reports tell of it.
RunningCall running_call(const rpc::OpenCall& open, std::chrono::steady_clock::time_point end);
// Those that a worker has begun; under the lock of the connection's owner.
std::vector<RunningCall> running_calls(const rpc::AppEnd& connection,
                                       std::chrono::steady_clock::time_point now);

}  // namespace bulkhead::worker
