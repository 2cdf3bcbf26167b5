// The floor under starts and restarts: bare processes.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <string>

#include "floor.hpp"
#include "machine.hpp"
#include "platform/fd.hpp"
#include "platform/pidfd.hpp"

namespace bulkhead::bench {
namespace {

// A child says by a byte that it runs.
struct Ready {
  platform::Pipe pipe = platform::make_pipe();

  void say() const {
    if (::write(pipe.write.get(), "", 1) != 1) ::_exit(1);
  }
  void await() const {
    std::array<std::byte, 1> byte{};
    platform::read_some(pipe.read, byte);
  }
};

}  // namespace

Samples forks(unsigned times) {
  const Ready ready;
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    const auto start = Clock::now();
    const ForkedChild child([&] { ready.say(); });
    ready.await();
    samples.add(Clock::now() - start);
  }
  return samples;
}

Samples execs(unsigned times) {
  return time_each(times, [] {
    const pid_t pid = ::vfork();
    if (pid == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    ::waitpid(pid, nullptr, 0);
  });
}

Samples deaths(unsigned times, std::size_t resident) {
  const Ready ready;
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    const ForkedChild child([&] {
      const std::string memory(resident, 'x');
      ready.say();
      ::pause();
    });
    ready.await();
    const auto pidfd = platform::Pidfd::open(child.pid());
    const auto start = Clock::now();
    pidfd.signal(SIGKILL);
    pidfd.wait_ended(std::chrono::seconds(10));
    samples.add(Clock::now() - start);
  }
  return samples;
}

Samples replacements(unsigned times) {
  const Ready ready;
  const auto say_ready_and_wait = [&] { ready.say(), ::pause(); };
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    std::optional<ForkedChild> child(std::in_place, say_ready_and_wait);
    ready.await();
    const auto pidfd = platform::Pidfd::open(child->pid());
    const auto start = Clock::now();
    pidfd.signal(SIGKILL);
    pidfd.wait_ended(std::chrono::seconds(10));
    child.reset();
    child.emplace(say_ready_and_wait);
    ready.await();
    samples.add(Clock::now() - start);
    platform::Pidfd::open(child->pid()).signal(SIGKILL);
  }
  return samples;
}

}  // namespace bulkhead::bench
