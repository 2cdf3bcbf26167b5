// Which request the present thread of a worker has, for what is logged meanwhile.
#pragma once

#include <utility>

#include "rpc/wire.hpp"

namespace bulkhead::worker {

// While it lives this is the one; it may change, and has no ticket while there is none.
class ServedCall {
 public:
  explicit ServedCall(const rpc::Head& head) noexcept : before_(std::exchange(present_, &head)) {}
  ~ServedCall() { present_ = before_; }
  ServedCall(const ServedCall&) = delete;
  ServedCall& operator=(const ServedCall&) = delete;

  // Without a ticket: none.
  static rpc::Head here() noexcept { return present_ ? *present_ : rpc::Head{}; }

 private:
  static constinit inline thread_local const rpc::Head* present_ = nullptr;

  const rpc::Head* const before_;
};

}  // namespace bulkhead::worker
