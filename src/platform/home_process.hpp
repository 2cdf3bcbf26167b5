// The process that something belongs to. A fork copies all memory but no thread: in the copy, locks
// stay held for ever, nobody does what is under way, and descriptors lead to what the other process
// still uses. So whatever belongs to another process is left alone there, before any lock is taken.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace bulkhead::platform {

class HomeProcess {
 public:
  HomeProcess() noexcept;  // this one

  // Whether this process is still the same, and no fork of it, however made. One relaxed load.
  bool here() const noexcept { return mark_->load(std::memory_order_relaxed) == number_; }
  pid_t pid() const noexcept { return pid_; }

 private:
  const std::atomic<std::uint32_t>* mark_;
  std::uint32_t number_;
  pid_t pid_;
};

// An object that each process makes for itself when it first needs it, also one that was forked off
// while another thread held the object's locks. Never destroyed. It is made by T(inherited), with
// what the process had that forked this one, or null. Thread safe.
template <class T>
class PerProcess {
 public:
  T& get() {
    Entry* seen = entry_.load(std::memory_order_acquire);
    while (seen == nullptr || !seen->home.here()) {
      auto* const made = new Entry{{}, T(seen == nullptr ? nullptr : &seen->value)};
      if (entry_.compare_exchange_strong(seen, made, std::memory_order_acq_rel)) return made->value;
      delete made;
    }
    return seen->value;
  }

 private:
  struct Entry {
    HomeProcess home;
    T value;
  };
  std::atomic<Entry*> entry_ = nullptr;
};

}  // namespace bulkhead::platform
