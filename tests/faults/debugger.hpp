// A debugger, as gdb is one: another process that traces a process, and what that starts.
#pragma once

#include <sys/types.h>

#include "platform/fd.hpp"

namespace bulkhead::test {

class Debugger {
 public:
  enum class How {
    holds,          // it stops the process, and waits
    looks_on,       // the process goes on, and what it starts is not traced
    sees_forks,     // what it starts is let go at once, as gdb does unless told
    follows_forks,  // all that it starts, and what that starts, is traced to its end
  };
  // It has attached itself when this returns.
  Debugger(pid_t traced, How how);
  // Lets go of what it holds; others wait for the end of all that they trace.
  ~Debugger();
  Debugger(const Debugger&) = delete;
  Debugger& operator=(const Debugger&) = delete;

  // False where the system does not permit it.
  bool attached() const { return attached_; }
  void let_go();

 private:
  void trace(pid_t traced, How how) const;
  void tell(bool attached) const;

  platform::Pipe told_, go_;
  pid_t pid_ = 0;
  bool attached_ = false;
};

}  // namespace bulkhead::test
