// Proves that a test left nothing behind (leftovers.hpp). Make it first in a test, so that it looks
// last.
#pragma once

#include "support/leftovers.hpp"

namespace bulkhead::test {

class LeakCheck {
 public:
  LeakCheck() = default;
  // check(), unless that was called.
  ~LeakCheck();
  LeakCheck(const LeakCheck&) = delete;
  LeakCheck& operator=(const LeakCheck&) = delete;

  // Waits until no process is left; what they left may then be removed by whoever starts next.
  void await_processes() const;
  // Waits until nothing is left; fails the test with the list of what stays.
  void check();

 private:
  const Leftovers leftovers_;
  bool checked_ = false;
};

}  // namespace bulkhead::test
