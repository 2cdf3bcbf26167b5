// Every way in which native code ends its process.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "faults/service/handlers.hpp"
#include "platform/unsanitized.hpp"

namespace bulkhead::test {

namespace {

// Volatile, so that no compiler knows what these come to.
int* volatile nowhere = nullptr;
volatile int zero = 0;

// Its pages lie behind the end of their file.
void touch_beyond_file() {
  std::FILE* const file = std::tmpfile();
  void* const page = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, ::fileno(file), 0);
  zero = *static_cast<volatile char*>(page);
}

int fill_stack(int depth) {
  volatile char room[4096] = {};
  room[0] = static_cast<char>(depth);
  return depth == zero - 1 ? room[0] : fill_stack(depth + 1) + room[0];
}

// What reads the stack then crashes itself.
void jump_to_nowhere() {
  volatile std::uintptr_t wild = 0x1234;
  reinterpret_cast<void (*)()>(wild)();
}

// Its own process only ends with what it heard of the fork.
[[noreturn]] BULKHEAD_UNSANITIZED void crash_in_fork() {
  const pid_t fork = ::fork();
  if (fork == 0) *nowhere = 1;
  int status = 0;
  ::waitpid(fork, &status, 0);
  ::_exit(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void throw_something() { throw std::logic_error("nobody expected this"); }
void refuse_to_throw() noexcept { throw_something(); }

}  // namespace

// A sanitizer would end it first, in its own way.
BULKHEAD_UNSANITIZED void die(const Die& request) {
  switch (request.death) {
    case Death::segmentation_fault:
      *nowhere = 1;
      return;
    case Death::abort:
      std::abort();
    case Death::illegal_instruction:
      __builtin_trap();
    case Death::division_by_zero:
      ::raise(SIGFPE);  // not every processor traps a division
      return;
    case Death::bus_error:
      return touch_beyond_file();
    case Death::stack_overflow:
      zero = fill_stack(1);
      return;
    case Death::kill:
      ::raise(SIGKILL);
      return;
    case Death::bad_system_call:
      ::raise(SIGSYS);
      return;
    case Death::exit_0:
      ::_exit(0);
    case Death::exit_3:
      std::exit(3);
    case Death::throw_through_noexcept:
      refuse_to_throw();
      return;
    case Death::end_of_thread:
      ::pthread_exit(nullptr);
    case Death::jump_to_nowhere:
      return jump_to_nowhere();
    case Death::throw_in_thread:
      return std::thread(throw_something).join();
    case Death::crash_of_fork:
      crash_in_fork();
  }
}

}  // namespace bulkhead::test
