// What the fault tests do with calls: each is waited for under a watchdog, so that one which is
// never settled is a failure and not a hang.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "faults/service/test_service.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace bulkhead::test {

using TestPool = Pool<TestService>;
using TestWorker = Worker<TestService>;

// Messages go through the ring, however large their strings are.
constexpr BytesLimits all_in_ring{.shared_from = ~std::size_t{}};

template <class T>
T value_of(Future<T> future) {
  if (!future.wait_for(default_watchdog)) throw std::runtime_error("a call was never settled");
  return future.get();
}

template <class T>
Error error_of(Future<T> future) {
  try {
    static_cast<void>(value_of(std::move(future)));
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("the call was answered");
}
inline Error error_of(Future<void> future) {
  try {
    value_of(std::move(future));
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("the call was answered");
}

// Why it does not start.
template <class Start>
Error start_error_of(Start start) {
  try {
    static_cast<void>(start());
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("it has started");
}

// Calls that run until they are let go.
class Gate {
 public:
  Block call(const std::string& name) const { return {folder_ / name, folder_ / "open"}; }
  // The process that runs the call.
  pid_t runner(const std::string& name) const {
    if (!wait_until([&] { return begun(name); })) throw std::runtime_error(name + " has not begun");
    pid_t pid = 0;
    std::ifstream(folder_ / name) >> pid;
    return pid;
  }
  bool begun(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  void open() const { std::ofstream(folder_ / "open"); }

 private:
  TempDir folder_;
};

inline std::vector<std::string> lines_of(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

inline std::vector<pid_t> pids_in(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

inline bool mentions(const Error& error, const std::string& words) {
  return std::string(error.what()).find(words) != std::string::npos;
}

inline pid_t pid_of(TestPool& pool) { return value_of(pool.run(WhoAmI{})).first; }

}  // namespace bulkhead::test
