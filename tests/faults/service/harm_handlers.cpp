#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "faults/service/handlers.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"

namespace bulkhead::test {

void do_harm(Harm harm) {
  switch (harm) {
    case Harm::throws:
      throw std::runtime_error("it was to throw");
    case Harm::exits:
      std::exit(3);
    case Harm::aborts:
      std::abort();
    case Harm::is_killed:
      ::raise(SIGKILL);
  }
}

Harmed hurt(Hurt request) {
  if (request.step == Step::running) do_harm(request.harm);
  return {{request.harm, request.step, std::move(request.payload)}};
}

void kill_siblings(const KillSiblings& request) {
  for (const pid_t pid : request.pids) {
    const std::string stat = platform::read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto process = platform::parse_process_stat(stat);
    if (pid != ::getpid() && process && process->parent == ::getppid()) ::kill(pid, SIGKILL);
  }
}

}  // namespace bulkhead::test
