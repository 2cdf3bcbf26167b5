#include "machine.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "platform/fd.hpp"

namespace bulkhead::bench {

void pin_to(int nth) {
  cpu_set_t usable, only;
  CPU_ZERO(&only);
  ::sched_getaffinity(0, sizeof usable, &usable);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &usable) && nth-- == 0) CPU_SET(core, &only);
  if (::sched_setaffinity(0, sizeof only, &only) != 0)
    platform::throw_errno("cannot pin the benchmark: are there two cores?");
}

PinnedTo::PinnedTo(int nth) {
  ::sched_getaffinity(0, sizeof before_, &before_);
  pin_to(nth);
}

PinnedTo::~PinnedTo() { ::sched_setaffinity(0, sizeof before_, &before_); }

ForkedChild::ForkedChild(const std::function<void()>& body) : pid_(::fork()) {
  if (pid_ < 0) platform::throw_errno("cannot fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  ::_exit(0);
}

ForkedChild::~ForkedChild() { ::waitpid(pid_, nullptr, 0); }

}  // namespace bulkhead::bench
