#include "torture/machine.hpp"

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <string>

#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "process/spawn.hpp"
#include "support/pause.hpp"

namespace bulkhead::torture {

namespace {

std::chrono::nanoseconds kill_one() {
  platform::Pipe pipe = platform::make_pipe();
  const process::Child child = process::spawn({.path = "/proc/self/exe",
                                               .arguments = {"torture", "--measured"},
                                               .environment = platform::environment(),
                                               .descriptors = {{pipe.write.get(), 1}}});
  pipe.write.reset();
  std::byte byte{};
  platform::read_some(pipe.read, std::span(&byte, 1));  // it is there
  const auto begin = std::chrono::steady_clock::now();
  child.pidfd.signal(SIGKILL);
  static_cast<void>(child.pidfd.wait_ended(std::chrono::seconds(20)));
  const auto time = std::chrono::steady_clock::now() - begin;
  child.pidfd.reap(true);
  return time;
}

}  // namespace

void measure_machine(const std::stop_token& stop, Findings& findings) {
  while (!stop.stop_requested()) {
    findings.machine.add(kill_one());
    test::pause(stop, std::chrono::milliseconds(50));
  }
}

void be_measured() {
  static_cast<void>(::write(1, "x", 1) == 1);
  for (;;) ::pause();
}

std::size_t own_memory() {
  ::malloc_trim(0);
  std::istringstream lines(platform::read_file("/proc/self/status"));
  std::size_t own = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("RssAnon:")) std::istringstream(line.substr(8)) >> own;
  return own;
}

}  // namespace bulkhead::torture
