#include "process/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>
#include <thread>

#include "platform/fault.hpp"
#include "platform/fd.hpp"
#include "platform/proc.hpp"
#include "support/deny_system_call.hpp"
#include "support/in_child.hpp"
#include "support/leak_check.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

using namespace bulkhead::process;
using namespace bulkhead::test;
namespace platform = bulkhead::platform;
using How = platform::Ending::How;

namespace {

Program shell(const std::string& script) {
  return {
      .path = "/bin/sh", .arguments = {"sh", "-c", script}, .environment = {"PATH=/bin:/usr/bin"}};
}

std::string read_all(const platform::Fd& fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t size = 1; size > 0;) {
    size = ::read(fd.get(), buffer, sizeof(buffer));
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

// What the program writes to descriptor 1.
std::string output_of(Program program) {
  platform::Pipe pipe = platform::make_pipe();
  program.descriptors.emplace_back(pipe.write.get(), 1);
  const Child child = spawn(program);
  pipe.write.reset();
  auto text = read_all(pipe.read);
  child.pidfd.reap(true);
  return text;
}

struct Failure {
  SpawnStage stage{};
  int error = 0;
  std::string what;
};

Failure failure_of(const Program& program) {
  try {
    spawn(program).pidfd.reap(true);
  } catch (const SpawnError& error) {
    return {error.stage(), error.code().value(), error.what()};
  }
  return {};
}

}  // namespace

TEST_CASE("a program runs with its own arguments, environment, directory and descriptors") {
  const LeakCheck leaks;
  const TempDir directory;
  CHECK(output_of(shell("echo hello")) == "hello\n");

  Program program = shell("echo $0 $1 $NAME; pwd; readlink /proc/self/fd/0 /proc/self/fd/2");
  program.arguments.insert(program.arguments.end(), {"zero", "one two"});
  program.environment.push_back("NAME=value");
  program.working_directory = directory.path();
  CHECK(output_of(program) ==
        "zero one two value\n" + directory.path().string() + "\n/dev/null\n/dev/null\n");
}

TEST_CASE("a program gets the descriptors that it is to have and no other") {
  const LeakCheck leaks;
  const TempDir directory;
  // Kept open without close-on-exec, as libraries of the host do.
  const platform::Fd leaked(::open(directory.path().c_str(), O_RDONLY));
  const auto file = [&](const char* name) {
    return platform::Fd(::open((directory / name).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  };
  const auto first = file("first"), second = file("second");
  // Each source is the other's target.
  Program program = shell("for fd in /proc/$$/fd/*; do echo ${fd##*/} $(readlink $fd); done");
  program.descriptors = {{first.get(), second.get()}, {second.get(), first.get()}};

  const auto lines = output_of(program);
  const auto line = [&](const platform::Fd& fd, const char* name) {
    return std::to_string(fd.get()) + " " + (directory / name).string() + "\n";
  };
  CHECK(lines.find(line(first, "second")) != lines.npos);
  CHECK(lines.find(line(second, "first")) != lines.npos);
  CHECK(lines.find(" " + directory.path().string() + "\n") == lines.npos);
}

TEST_CASE("descriptors do not leak where close_range is forbidden") {
  const LeakCheck leaks;
  const int status = in_child([] {
    const platform::Fd leaked(::open("/etc", O_RDONLY));
    for (int i = 0; i < 200; ++i) expect(::dup(leaked.get()) >= 0);
    deny_system_call(SYS_close_range);
    const auto list = output_of({.path = "/bin/ls", .arguments = {"ls", "-l", "/proc/self/fd"}});
    expect(list.find("/dev/null") != list.npos);
    expect(list.find("/etc") == list.npos, list);
  });
  CHECK(status == 0);
}

TEST_CASE(
    "a program that cannot be executed is told at once, with the reason, and leaves nothing") {
  const LeakCheck leaks;
  const TempDir directory;
  const auto missing = failure_of({.path = "/no/such"});
  CHECK(missing.stage == SpawnStage::exec);
  CHECK(missing.error == ENOENT);
  CHECK(missing.what == "cannot execute /no/such: No such file or directory");

  const auto put = [&](const char* name, const std::string& text, mode_t mode) {
    std::ofstream(directory / name) << text;
    ::chmod((directory / name).c_str(), mode);
    return (directory / name).string();
  };
  CHECK(failure_of({.path = put("plain", "text", 0600)}).error == EACCES);
  CHECK(failure_of({.path = directory.path()}).error == EACCES);
  CHECK(failure_of({.path = put("bad",
                                "\x7f"
                                "ELF and nothing",
                                0700)})
            .error == ENOEXEC);
  CHECK(failure_of({.path = put("script", "#!/no/interpreter\n", 0700)}).error == ENOENT);
  CHECK(failure_of({.path = std::string(5000, 'x')}).error == ENAMETOOLONG);

  Program too_large = shell("true");
  too_large.arguments.push_back(std::string(std::size_t{8} << 20, 'x'));
  CHECK(failure_of(too_large).error == E2BIG);
}

TEST_CASE("what fails before the program is executed names its stage") {
  const LeakCheck leaks;
  Program program = shell("true");
  program.working_directory = "/no/directory";
  const auto directory = failure_of(program);
  CHECK(directory.stage == SpawnStage::working_directory);
  CHECK(directory.what ==
        "cannot enter /no/directory to execute /bin/sh: No such file or directory");

  program = shell("true");
  program.descriptors = {{999'999, 3}};
  const auto descriptors = failure_of(program);
  CHECK(descriptors.stage == SpawnStage::descriptors);
  CHECK(descriptors.error == EBADF);
}

#ifdef BULKHEAD_FAULT_POINTS
// Fault start.no-process: the system has no room for another process.
// Then: `start_failed` with the errno, or fewer workers until it can be done.
TEST_CASE("a system without room for a process is told as such") {
  const LeakCheck leaks;
  platform::use_faults("spawn:1:errno=11");
  const auto failure = failure_of(shell("true"));
  CHECK(failure.stage == SpawnStage::fork);
  CHECK(failure.error == EAGAIN);
  CHECK(failure_of(shell("true")).error == 0);
  platform::use_faults("");
}
#endif

// Fault host.signals
TEST_CASE("neither ignored nor blocked signals of the host reach the program") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const auto state = output_of(
        {.path = "/bin/grep", .arguments = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}});
    expect(state == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", state);
  });
  CHECK(status == 0);
}

// Fault host.signals
TEST_CASE("the host's own signal handlers and mask stay as they were") {
  const LeakCheck leaks;
  static volatile sig_atomic_t handled = 0;
  ::signal(SIGUSR1, [](int) { handled = 1; });
  output_of(shell("true"));
  ::raise(SIGUSR1);
  CHECK(handled == 1);
  ::signal(SIGUSR1, SIG_DFL);
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  CHECK(::sigismember(&blocked, SIGUSR2) == 0);
}

// Fault host.no-stdio
TEST_CASE("a program is started from a host whose standard descriptors are closed") {
  const LeakCheck leaks;
  const int status = in_child([] {
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);
    expect(output_of(shell("readlink /proc/self/fd/0 /proc/self/fd/2; echo done")) ==
           "/dev/null\n/dev/null\ndone\n");
    for (int fd = 0; fd <= 2; ++fd) expect(::fcntl(fd, F_GETFD) < 0);
  });
  CHECK(status == 0);
}

TEST_CASE("a program that asks for a session leads it") {
  const LeakCheck leaks;
  Program program = shell("cut -d' ' -f1,6 /proc/$$/stat");
  const auto same = [](const std::string& ids) {
    const auto space = ids.find(' ');
    return ids.substr(0, space) == ids.substr(space + 1, ids.size() - space - 2);
  };
  CHECK_FALSE(same(output_of(program)));
  program.new_session = true;
  CHECK(same(output_of(program)));
}

TEST_CASE("a program dies with the thread that started it, if so asked") {
  const LeakCheck leaks;
  Program program{.path = "/bin/sleep", .arguments = {"sleep", "1000"}};
  program.dies_with_parent_thread = true;
  Child child;
  std::thread([&] { child = spawn(program); }).join();
  CHECK(child.pidfd.reap(true)->status == SIGKILL);
}

TEST_CASE("programs are started from many threads at once, each with its own descriptors") {
  const LeakCheck leaks;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&right, thread] {
      const auto text = "thread " + std::to_string(thread) + "\n";
      for (int i = 0; i < 20; ++i)
        if (output_of(shell("echo thread " + std::to_string(thread))) == text) ++right;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 80);
}

// Fault host.children
TEST_CASE("a host that ignores SIGCHLD, or reaps all children itself, starts programs as ever") {
  const LeakCheck leaks;
  const int status = in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    expect(output_of(shell("echo hello")) == "hello\n");
    const auto failure = failure_of({.path = "/no/such"});
    expect(failure.error == ENOENT);
    const auto ending = spawn(shell("exit 4")).pidfd.reap(true);
    expect(ending->how == How::unknown || ending->status == 4);
  });
  CHECK(status == 0);
}

TEST_CASE("an environment is another one with some names replaced and some removed") {
  const std::vector<std::string> base{"A=1", "B=2", "AB=3", "C=4=5", "odd"};
  CHECK(make_environment(base, {{"A", "x"}, {"D", ""}}, {"C"}) ==
        std::vector<std::string>{"B=2", "AB=3", "odd", "A=x", "D="});
  CHECK(make_environment(base, {}) == base);
}
