// Processes that a fork server must not lose, and the proof that they are gone.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <csignal>

#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "process/tree.hpp"
#include "support/in_child.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

// Held open, at its write end, by every process that is to go: its end proves that all are gone.
struct Census {
  platform::Pipe pipe = platform::make_pipe();

  void report() { expect(::write(pipe.write.get(), "x", 1) == 1); }
  void await(int reports) {
    for (char byte = 0; reports > 0; --reports) expect(::read(pipe.read.get(), &byte, 1) == 1);
  }
  void expect_all_gone() {
    pipe.write.reset();
    platform::set_nonblocking(pipe.read);
    char byte = 0;
    expect(wait_until([&] { return ::read(pipe.read.get(), &byte, 1) == 0; }), "all gone");
  }
};

[[noreturn]] inline void live_for_ever() {
  for (;;) ::pause();
}

constexpr int escapees = 200;

// Half of them in sessions of their own, half orphaned by their parents; deaf to SIGTERM.
inline void escape(Census& census) {
  ::signal(SIGTERM, SIG_IGN);
  for (int i = 0; i < escapees; ++i) {
    if (::fork() != 0) continue;
    if (i % 2 == 0) ::setsid();
    if (i % 2 == 1 && ::fork() != 0) ::_exit(0);
    census.report();
    live_for_ever();
  }
  census.report();
  live_for_ever();
}

template <class Part>
platform::Forked fork_worker(process::Trees& trees, process::WorkerKey worker, Part part) {
  auto forked = trees.fork(worker);
  if (!forked.in_child()) return forked;
  part();
  platform::exit_now(0);
}

}  // namespace bulkhead::test
