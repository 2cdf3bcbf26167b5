// One worker process: starting it, calling it, and what became of it.
// It is not restarted; for that, and for more than one, there is Pool.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/future.hpp"
#include "bulkhead/service.hpp"

namespace bulkhead {

// Which program becomes the worker, and what it is given. A value.
class Launch {
 public:
  // This executable, as it was when this process started. Its main must call serve_if_worker.
  static Launch self();
  // Another one, which calls serve or serve_if_worker. PATH is not searched.
  static Launch executable(std::filesystem::path program);

  Launch& arg(std::string argument);
  Launch& args(std::vector<std::string> arguments);
  // Set besides the app's own environment, or instead of what it says.
  Launch& env(std::string name, std::string value);
  // Where it starts: the app's own directory unless told.
  Launch& working_directory(std::filesystem::path directory);

  const std::filesystem::path& program() const noexcept { return program_; }
  const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  const std::vector<std::pair<std::string, std::string>>& environment() const noexcept {
    return environment_;
  }
  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  std::filesystem::path program_;  // empty: this executable
  std::vector<std::string> arguments_;
  std::vector<std::pair<std::string, std::string>> environment_;
  std::filesystem::path directory_;
};

struct WorkerOptions {
  Launch launch = Launch::self();
  // From the launch until it is ready. BULKHEAD_CONNECT_TIMEOUT (seconds) in the environment wins.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // Calls that wait for the worker, besides the one it runs; past it they fail with queue_full.
  std::size_t queue_limit = 1024;
};

// What a shutdown did.
struct ShutdownReport {
  std::size_t calls_completed = 0;  // answered while it waited
  std::size_t calls_failed = 0;     // failed while it waited, or with shut_down after it
  std::size_t workers_left = 0;     // ended by themselves when they were asked to
  std::size_t workers_killed = 0;
  std::vector<pid_t> unkillable = {};  // the kernel did not let these go; usually empty
  std::chrono::milliseconds elapsed{};
};

// Movable and thread safe; default constructed, it is not alive.
// Dropped without shutdown(), it kills its process and all that it started.
template <class S>
class Worker {
 public:
  Worker() = default;

  // Returns once the worker is ready; throws Error if it does not get there.
  static Worker start(const WorkerOptions& options = {}) {
    Worker worker;
    worker.workers_ = detail::start_worker(detail::contract_of<S>(), options);
    return worker;
  }

  // Never throws Error: every failure arrives through the future. Once the process has ended,
  // that is worker_crashed with the report, or shut_down.
  template <RequestOf<S> R>
  Future<ResponseOf<R>> run(R request) {
    return detail::run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request);
  }

  // Takes no new calls, waits for those that are open, asks the process to leave; what is left
  // after `grace` fails with shut_down, and the process and all that it started are ended.
  ShutdownReport shutdown(std::chrono::milliseconds grace = std::chrono::seconds(30)) {
    return workers_ ? workers_->shutdown(grace) : ShutdownReport{};
  }

  // Set once the process ended unasked.
  std::optional<CrashReport> crash() const {
    return workers_ ? workers_->crash() : std::optional<CrashReport>{};
  }
  bool alive() const { return workers_ && workers_->alive(); }
  // The process's id, 0 if there is none; still the same when it has ended.
  pid_t pid() const { return workers_ ? workers_->pid() : 0; }

 private:
  std::unique_ptr<detail::WorkerSet> workers_;
};

}  // namespace bulkhead
