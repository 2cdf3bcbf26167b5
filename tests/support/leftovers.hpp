// What a program, or a part of it, left behind: processes, also those that changed their session or
// their parent, zombies, descriptors, threads, shared-memory names and cgroups. What was there at
// construction is not counted. One at a time in a process.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bulkhead::test {

class Leftovers {
 public:
  Leftovers();
  ~Leftovers();
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

  // Waits, under a watchdog, until nothing is left. Empty, or a line for each thing that stays.
  std::string await_none() const;
  // The same for processes alone; what they left may then be removed by whoever starts next.
  bool await_processes() const;
  // The processes that there are at this moment; what is no process may be there as well.
  std::string processes_now() const;

 private:
  using Found = std::map<std::string, std::string>;  // what names the thing for good -> more words

  // One kind of thing that may be left, and what of it was there before.
  struct Kind {
    std::function<Found()> list;
    Found before;
    Found left() const;
  };

  std::string mark_;  // in the environment of all that is executed meanwhile
  std::vector<Kind> kinds_;
};

}  // namespace bulkhead::test
