// How many items a sender may still send: at most `capacity` are on their way at once. A rule
// without I/O: what the receiver says goes in, checked.
#pragma once

#include <cstdint>

namespace bulkhead::ipc {

class Credit {
 public:
  explicit Credit(std::uint64_t capacity) : capacity_(capacity) {}

  bool may_send() const { return sent_ - taken_ < capacity_; }
  void sent() { ++sent_; }
  // How many items the receiver has taken since the channel was made. False: it cannot be so many,
  // or so few.
  [[nodiscard]] bool note_taken(std::uint64_t taken) {
    if (taken - taken_ > sent_ - taken_) return false;
    taken_ = taken;
    return true;
  }
  std::uint64_t taken() const { return taken_; }

 private:
  const std::uint64_t capacity_;
  std::uint64_t sent_ = 0;
  std::uint64_t taken_ = 0;  // as last seen
};

}  // namespace bulkhead::ipc
