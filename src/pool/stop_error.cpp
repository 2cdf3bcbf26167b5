#include "pool/stop_error.hpp"

#include <chrono>

namespace bulkhead::pool {

namespace {

std::string in_milliseconds(std::chrono::nanoseconds time) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(time);
  return std::to_string(whole.count()) + " ms";
}

std::string what_happened(const detail::Steering& limits) {
  return limits.ran_too_long
             ? " ran for more than " + in_milliseconds(*limits.run_timeout) + " (run_timeout)"
             : " had no answer within " + in_milliseconds(*limits.timeout) + " (timeout)";
}

}  // namespace

Error stop_error(const std::string& service, const detail::Call& call,
                 rpc::CallLife::Failure reason, const std::string& end,
                 std::shared_ptr<const CrashReport> report) {
  const bool late = reason == rpc::CallLife::Failure::deadline && call.steering;
  return Error(late ? errc::deadline_exceeded : errc::cancelled,
               service + ": " + std::string(call.type->name) +
                   (late ? what_happened(*call.steering) : " was called off") + "; " + end,
               {}, std::move(report));
}

}  // namespace bulkhead::pool
