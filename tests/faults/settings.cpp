#include "faults/settings.hpp"

#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>
#include <locale>
#include <new>
#include <sstream>

#include "platform/fd.hpp"
#include "platform/signals.hpp"
#include "support/in_child.hpp"

namespace bulkhead::test {

namespace {

constexpr int last_signal = 64;
volatile std::sig_atomic_t counted = 0;

template <class... Values>
std::string text_of(const Values&... values) {
  std::ostringstream text;
  ((text << values << ' '), ...);
  return text.str();
}

std::string text_of_set(const sigset_t& set) {
  std::string numbers;
  for (int number = 1; number <= last_signal; ++number)
    if (sigismember(&set, number) == 1) numbers += std::to_string(number) + ' ';
  return numbers;
}

void add_signals(Settings& found) {
  for (int number = 1; number <= last_signal; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;  // the C library's own
    found["signal " + std::to_string(number)] =
        text_of(reinterpret_cast<void*>(action.sa_handler), action.sa_flags) +
        text_of_set(action.sa_mask);
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  found["signal mask"] = text_of_set(mask);
  stack_t stack{};
  ::sigaltstack(nullptr, &stack);
  found["signal stack"] = text_of(stack.ss_sp, stack.ss_size, stack.ss_flags);
}

void add_limits(Settings& found) {
  for (int number = 0; number < RLIMIT_NLIMITS; ++number) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(number), &limit);
    found["limit " + std::to_string(number)] = text_of(limit.rlim_cur, limit.rlim_max);
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(0, sizeof cores, &cores);
  found["processors"] = text_of(CPU_COUNT(&cores));
  found["scheduling"] = text_of(::sched_getscheduler(0), ::getpriority(PRIO_PROCESS, 0));
}

void add_process(Settings& found) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  found["umask"] = text_of(mask);
  found["folder"] = std::filesystem::current_path();
  found["group"] = text_of(::getpgrp(), ::getsid(0));
  found["personality"] = text_of(::personality(0xffff'ffff));
  found["oom_score_adj"] = platform::read_file("/proc/self/oom_score_adj");
  found["name"] = platform::read_file("/proc/self/comm");
  for (const int option : {PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_GET_KEEPCAPS,
                           PR_GET_SECUREBITS, PR_GET_TIMERSLACK, PR_GET_THP_DISABLE, PR_GET_TIMING})
    found["prctl " + std::to_string(option)] = text_of(::prctl(option, 0UL, 0UL, 0UL, 0UL));
  for (const int option : {PR_GET_CHILD_SUBREAPER, PR_GET_PDEATHSIG}) {
    int value = -1;
    ::prctl(option, &value, 0UL, 0UL, 0UL);
    found["prctl " + std::to_string(option)] = text_of(value);
  }
  for (const int number : {0, 1, 2})
    found["descriptor " + std::to_string(number)] =
        text_of(::fcntl(number, F_GETFL), ::fcntl(number, F_GETFD));
}

void add_timers(Settings& found) {
  for (const __itimer_which which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval timer{};
    ::getitimer(which, &timer);
    found["timer " + std::to_string(which)] =
        text_of(timer.it_interval.tv_sec, timer.it_interval.tv_usec, timer.it_value.tv_sec > 0);
  }
  found["timers"] = platform::read_file("/proc/self/timers");
}

void add_program(Settings& found) {
  found["locale"] = ::setlocale(LC_ALL, nullptr);
  found["thread's locale"] = text_of(::uselocale(nullptr));
  found["std::locale"] = std::locale().name();
  found["environ"] = text_of(static_cast<void*>(environ));
  for (char** entry = environ; *entry; ++entry)
    found["environ " + text_of(entry - environ)] = text_of(static_cast<void*>(*entry), *entry);
  found["terminate handler"] = text_of(reinterpret_cast<void*>(std::get_terminate()));
  found["new handler"] = text_of(reinterpret_cast<void*>(std::get_new_handler()));
}

void count_signals() {
  struct sigaction action {};
  action.sa_handler = [](int number) { counted = counted + (number != SIGCHLD); };
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaddset(&action.sa_mask, SIGWINCH);
  for (int number = 1; number <= last_signal; ++number)
    if (!std::ranges::count(platform::crash_signals, number)) ::sigaction(number, &action, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGUSR1, SIGTERM, SIGRTMIN + 1}) sigaddset(&blocked, number);
  expect(::pthread_sigmask(SIG_BLOCK, &blocked, nullptr) == 0);
  static std::array<char, 1 << 16> memory;
  stack_t stack{};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  expect(::sigaltstack(&stack, nullptr) == 0);
}

void set_timers() {
  const itimerval hour{.it_interval = {3600, 0}, .it_value = {3600, 0}};
  expect(::setitimer(ITIMER_REAL, &hour, nullptr) == 0);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN + 3;
  timer_t timer{};
  expect(::timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
}

}  // namespace

Settings own_settings() {
  Settings found;
  add_signals(found);
  add_limits(found);
  add_process(found);
  add_timers(found);
  add_program(found);
  return found;
}

std::string changes(const Settings& before, const Settings& now) {
  std::string lines;
  for (const auto& [what, how] : before)
    if (!now.contains(what)) lines += what + " is gone\n";
  for (const auto& [what, how] : now) {
    const auto was = before.find(what);
    if (was == before.end())
      lines += what + " is new: " + how + '\n';
    else if (was->second != how)
      lines += what + " was " + was->second + ", is " + how + '\n';
  }
  return lines;
}

void make_own_settings(const std::string& folder) {
  count_signals();
  set_timers();
  expect(::setlocale(LC_ALL, "C.UTF-8") != nullptr);
  ::uselocale(::newlocale(LC_ALL_MASK, "POSIX", nullptr));
  std::filesystem::current_path(folder);
  ::umask(027);
  ::setenv("OF_THE_GUEST", "untouched", 1);
  expect(::nice(1) != -1);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_cur, 777);
  expect(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  expect(::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) == 0);
  expect(::prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0UL, 0UL, 0UL) == 0);
  expect(::prctl(PR_SET_TIMERSLACK, 60'000UL, 0UL, 0UL, 0UL) == 0);
  expect(::prctl(PR_SET_NAME, "host", 0UL, 0UL, 0UL) == 0);
}

int signals_counted() { return counted; }

}  // namespace bulkhead::test
