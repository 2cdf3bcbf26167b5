// Proves that a test left nothing behind: no process, also none that changed its session or its
// parent, no zombie, descriptor or thread, no shared-memory name and no cgroup. What was there at
// construction is not counted. Make it first in a test, so that it looks last.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bulkhead::test {

class LeakCheck {
 public:
  LeakCheck();
  // check(), unless that was called.
  ~LeakCheck();
  LeakCheck(const LeakCheck&) = delete;
  LeakCheck& operator=(const LeakCheck&) = delete;

  // Waits until no process is left; what they left may then be removed by whoever starts next.
  void await_processes() const;
  // Waits until nothing is left; fails the test with the list of what stays.
  void check();

 private:
  using Found = std::map<std::string, std::string>;  // what names the thing for good -> more words

  // One kind of thing that may be left, and what of it was there before.
  struct Kind {
    std::function<Found()> list;
    Found before;
  };

  std::string mark_;  // in the environment of all that is executed meanwhile
  std::vector<Kind> kinds_;
  bool checked_ = false;
};

}  // namespace bulkhead::test
