#pragma once

namespace bulkhead::detail {

// Whom a call, or an operation of a channel, tells of its end that no thread waits for.
class Completion {
 public:
  // Once, on any thread, under no lock.
  virtual void call_settled() noexcept = 0;

 protected:
  ~Completion() = default;
};

}  // namespace bulkhead::detail
