// A stack on which a thread handles signals when its own has overflowed.
#pragma once

#include <cstddef>

namespace bulkhead::platform {

// Of the thread that makes it, as long as it lives there. Nothing where that thread has one
// already, or where there is no memory for it.
class SignalStack {
 public:
  SignalStack() noexcept;
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bulkhead::platform
