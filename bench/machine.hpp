// Cores and processes, as the benchmarks need them.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <functional>

namespace bulkhead::bench {

// Keeps the calling thread, and the threads and processes that it starts from now on, on the n-th
// of the cores that it may use. Throws if there are fewer.
void pin_to(int nth);

// The same, until the end of the block.
class PinnedTo {
 public:
  explicit PinnedTo(int nth);
  ~PinnedTo();
  PinnedTo(const PinnedTo&) = delete;
  PinnedTo& operator=(const PinnedTo&) = delete;

 private:
  cpu_set_t before_;
};

// A bare fork that runs `body` and ends, not later than its parent. The destructor reaps it.
class ForkedChild {
 public:
  explicit ForkedChild(const std::function<void()>& body);
  ~ForkedChild();
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

// An idle process is looked at from outside (run.py): tells whom to look at, and waits for the end
// of standard input.
void stay_idle(pid_t worker);

}  // namespace bulkhead::bench
