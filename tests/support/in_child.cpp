#include "support/in_child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "platform/signals.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

void expect(bool condition, const std::string& what, const char* file, int line) {
  if (condition) return;
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": not as expected " +
                           what);
}

pid_t start_in_child(const std::function<void()>& part) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  platform::reset_signals();  // Catch's handlers would report the child's death as the test's
  int code = 0;
  try {
    part();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = 1;
  }
  ::_exit(code);
}

int in_child(const std::function<void()>& part) {
  const pid_t pid = start_in_child(part);
  int status = 0;
  const auto ended = [&] { return ::waitpid(pid, &status, WNOHANG) == pid; };
  if (wait_until(ended, std::chrono::minutes(1))) return status;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return status;
}

}  // namespace bulkhead::test
