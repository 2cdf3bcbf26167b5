// Counts the system calls of a thread, and of all threads and processes that it starts. The kernel
// asks a counting thread before it makes one, which takes some microseconds; what makes none is not
// slowed down.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace bulkhead::test {

class SystemCalls {
 public:
  // Runs `work` in a thread of its own, and returns when that and all that it has started have
  // ended. False where the system does not allow it: then nothing is run.
  [[nodiscard]] static bool count(const std::function<void(const SystemCalls&)>& work);

  // From the thread that works, at no cost.
  std::uint64_t so_far() const { return count_; }

 private:
  void count_until_all_ended(int listener);

  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace bulkhead::test
