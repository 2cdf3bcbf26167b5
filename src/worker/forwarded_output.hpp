// What a process writes, passed on in whole lines.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "platform/fd.hpp"
#include "process/output.hpp"
#include "reactor/watch.hpp"

namespace bulkhead::worker {

class ForwardedOutput {
 public:
  ForwardedOutput(reactor::Reactor& reactor, platform::Fd read_end, process::OnLine on_line)
      : output_(std::move(read_end), std::move(on_line)), watch_(reactor) {}

  // To one of the app's own: 1 or 2.
  static process::OnLine to_own(int number);

  template <class Owner>
  void start(std::weak_ptr<Owner> owner) {
    watch_.start(output_.fd(), std::move(owner), [this] { return drain(); });
  }
  // After the process's death: takes what is left. Never waits for the pipe's end.
  void finish();
  std::string tail() const { return output_.tail(); }

 private:
  bool drain();

  process::Output output_;
  reactor::Watch watch_;  // ends before the pipe does
};

}  // namespace bulkhead::worker
