// A process that does one thing again and again until the end of the block.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "support/in_child.hpp"

namespace bulkhead::test {

class LoopingChild {
 public:
  explicit LoopingChild(const std::function<void()>& turn)
      : pid_(start_in_child([&] {
          ::alarm(60);  // should the test itself be killed
          for (;;) turn();
        })) {}
  LoopingChild(const LoopingChild&) = delete;
  LoopingChild& operator=(const LoopingChild&) = delete;
  ~LoopingChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

}  // namespace bulkhead::test
