// What is said of calls that were stopped: past a deadline, or called off.
#pragma once

#include <memory>
#include <string>

#include "bulkhead/detail/call.hpp"
#include "bulkhead/error.hpp"
#include "rpc/call_life.hpp"

namespace bulkhead::pool {

// `end`: what became of it, as "no worker had begun it".
Error stop_error(const std::string& service, const detail::Call& call,
                 rpc::CallLife::Failure reason, const std::string& end,
                 std::shared_ptr<const CrashReport> report = {});

}  // namespace bulkhead::pool
