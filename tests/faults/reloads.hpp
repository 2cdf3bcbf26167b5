// What the tests of reload() share: programs of which there are new versions, threads that reload.
#pragma once

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "faults/calls.hpp"
#include "platform/proc.hpp"

namespace bulkhead::test {

// An executable of which there come to be new versions, each a script that leads to the worker.
class Program {
 public:
  explicit Program(const std::string& script) { becomes(script); }
  // As an installation does it: by a rename, at any moment.
  void becomes(const std::string& script) const {
    const std::filesystem::path draft = folder_ / "draft";
    std::ofstream(draft) << script;
    std::filesystem::permissions(draft, std::filesystem::perms::owner_all);
    std::filesystem::rename(draft, path());
  }
  void vanishes() const { std::filesystem::remove(path()); }
  std::filesystem::path path() const { return folder_ / "program"; }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  Launch launch() const { return Launch::executable(path()); }

 private:
  TempDir folder_;
};

inline std::string script(const std::string& settings, const std::string& argument = "") {
  return "#!/bin/sh\n" + settings + " exec " TEST_WORKER " " + argument + "\n";
}
inline std::string version(int number) { return script("TEST_VERSION=" + std::to_string(number)); }
inline std::string with_fault(const std::string& fault) {
  return script("BULKHEAD_FAULT=" + fault);
}

inline int version_of(TestPool& pool) {
  const std::string name = "TEST_VERSION=";
  for (const auto& entry : value_of(pool.run(LookAround{})).environment)
    if (entry.starts_with(name)) return std::stoi(entry.substr(name.size()));
  return 0;
}

inline pid_t fork_server_of(TestPool& pool) { return value_of(pool.run(LookAround{})).parent; }

// All at once: each runs a call that the others cannot take.
inline std::set<pid_t> workers_of(TestPool& pool, int count) {
  const Gate gate;
  std::vector<Future<pid_t>> calls;
  for (int i = 0; i < count; ++i) calls.push_back(pool.run(gate.call(std::to_string(i))));
  std::set<pid_t> pids;
  for (int i = 0; i < count; ++i) pids.insert(gate.runner(std::to_string(i)));
  gate.open();
  for (auto& call : calls) value_of(std::move(call));
  return pids;
}

inline bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

inline Error error_of_reload(TestPool& pool) {
  return start_error_of([&] { return pool.reload(), 0; });
}

// A pool of one, whose worker runs a call until the gate opens.
struct BusyPool {
  Gate gate;
  TestPool pool{{.workers = 1}};
  Future<pid_t> running = pool.run(gate.call("one"));
  pid_t worker = gate.runner("one");
};

// A thread in reload(), from which it comes back under the watchdog.
class Reloading {
 public:
  explicit Reloading(TestPool& pool)
      : thread_([this, &pool] {
          try {
            pool.reload();
          } catch (const Error& error) {
            failure_ = error;
          }
          done_ = true;
        }) {}
  ~Reloading() { thread_.join(); }
  Reloading(const Reloading&) = delete;
  Reloading& operator=(const Reloading&) = delete;

  bool done() const { return done_; }
  std::optional<Error> failure() const {
    if (!wait_until([this] { return done(); })) throw std::runtime_error("reload never returns");
    return failure_;
  }
  errc code() const {
    const auto why = failure();
    return why ? errc{why->code().value()} : errc{};
  }

 private:
  std::atomic<bool> done_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

// That this one has started, and those that they have.
inline std::size_t processes() { return platform::descendants_of({::getpid()}).size(); }

}  // namespace bulkhead::test
