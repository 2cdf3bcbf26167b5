#include "peer.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "figures.hpp"
#include "machine.hpp"
#include "measure.hpp"

namespace bulkhead::bench {
namespace {

void must(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

// Runs this program to serve, with its standard output into a pipe: returns the end to read.
int spawn_server(pid_t& pid, const std::string& address) {
  std::array<int, 2> pipe{};
  must(::pipe2(pipe.data(), O_CLOEXEC) == 0 ? 0 : errno, "no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string program = "/proc/self/exe", word = "serve", where = address;
  const std::array<char*, 4> arguments{program.data(), word.data(), where.data(), nullptr};
  const int error =
      ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  must(error, "cannot start the peer's worker");
  return pipe[0];
}

int measure(const std::string& column, const std::string& version, const StartSubject& start,
            Effort effort) {
  Figures figures;
  figures.set(column, "version", version);
  figures.set(column, "worker_ready_ms", time_starts(start, effort.times(20, 3)).p50_ms());
  const auto subject = start();
  Samples calls = time_calls(*subject, effort.times(50'000, 2'000));
  figures.set(column, "call_p50_us", calls.p50_us());
  figures.set(column, "call_p99_us", calls.p99_us());
  figures.set(column, "throughput_per_s",
              throughput(*subject, effort.times(50'000, 5'000), effort.times(5, 3)));
  figures.set(column, "string_1mib_p50_us",
              time_text(*subject, mib, effort.times(300, 20)).p50_us());
  const double large = time_text(*subject, 64 * mib, effort.times(15, 3)).p50_us();
  figures.set(column, "string_64mib_p50_us", large);
  figures.set(column, "string_64mib_mb_per_s", mb_per_s_64mib(large));
  figures.print();
  return 0;
}

int idle(const StartSubject& start) {
  const auto subject = start();
  subject->call();
  stay_idle(subject->worker());
  return 0;
}

}  // namespace

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "bulkhead-bench-XXXXXX";
  must(::mkdtemp(name.data()) ? 0 : errno, "no folder for a socket");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Server::Server(const std::string& address) {
  const int listening = spawn_server(pid_, address);
  char byte = 0;
  const bool said = ::read(listening, &byte, 1) == 1;
  ::close(listening);
  if (!said) throw std::runtime_error("the peer's worker does not serve");
}

Server::~Server() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void say_listening() {
  if (::write(STDOUT_FILENO, "", 1) != 1) std::_Exit(1);
}

int run_peer(int argc, char** argv, const std::string& name, const std::string& version,
             const StartSubject& start, const Serve& serve) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(argv[2]);
    return 0;
  }
  if (what == "measure") return measure(name, version, start, {});
  if (what == "measure-quickly") return measure(name, version, start, {.quick = true});
  if (what == "idle") return idle(start);
  std::fprintf(stderr, "usage: %s measure|measure-quickly|idle\n", argv[0]);
  return 64;
}

}  // namespace bulkhead::bench
