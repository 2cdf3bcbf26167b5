// A worker's logger: what is written to it goes to the app, into whose log it comes with the worker
// and the call. Nobody waits for the app: lines that come too fast for it are dropped, and counted.
#pragma once

#include <string>
#include <utility>

#include "rpc/worker_end.hpp"

namespace bulkhead::worker {

// In a process that serves, once: from now on the library logs so, unless the program has set a
// logger, and "bulkhead" is in spdlog's registry, unless the program has one of that name. It leads
// to standard error at first, and workers that are forked later have it.
void open_log();

// The same, and from now on it leads to this app, which others than its threads may send to. It
// must outlive the process's threads.
void log_to_app(rpc::WorkerEnd& app);

// The same for a thread that stands for a worker: while this lives, what it writes to "bulkhead" of
// spdlog's registry, unless the program has one, goes to the process's own log under this name.
class LogsAs {
 public:
  explicit LogsAs(std::string name);
  ~LogsAs() { present_ = nullptr; }
  LogsAs(const LogsAs&) = delete;
  LogsAs& operator=(const LogsAs&) = delete;

  // Null: no such thread.
  static const std::string* here() noexcept { return present_; }

 private:
  static constinit inline thread_local const std::string* present_ = nullptr;

  const std::string name_;
};

}  // namespace bulkhead::worker
