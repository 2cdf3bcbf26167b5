#include "machine.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace bulkhead::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void pin_to(int nth) {
  cpu_set_t usable, only;
  CPU_ZERO(&only);
  ::sched_getaffinity(0, sizeof usable, &usable);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &usable) && nth-- == 0) CPU_SET(core, &only);
  if (::sched_setaffinity(0, sizeof only, &only) != 0)
    fail("cannot pin the benchmark: are there two cores?");
}

PinnedTo::PinnedTo(int nth) {
  ::sched_getaffinity(0, sizeof before_, &before_);
  pin_to(nth);
}

PinnedTo::~PinnedTo() { ::sched_setaffinity(0, sizeof before_, &before_); }

ForkedChild::ForkedChild(const std::function<void()>& body) : pid_(::fork()) {
  if (pid_ < 0) fail("cannot fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  ::_exit(0);
}

ForkedChild::~ForkedChild() { ::waitpid(pid_, nullptr, 0); }

void stay_idle(pid_t worker) {
  std::printf("%d\n", worker);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

}  // namespace bulkhead::bench
