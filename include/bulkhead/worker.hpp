/// @file
/// One worker process: starting it, calling it, and what became of it.
/// It is not restarted; for that, and for more than one, there is Pool.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "bulkhead/caller.hpp"
#include "bulkhead/detail/async_life.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/sandbox.hpp"
#include "bulkhead/service.hpp"

// Where a package says that bulkhead-worker was installed.
#ifndef BULKHEAD_WORKER_PROGRAM_AT
#define BULKHEAD_WORKER_PROGRAM_AT ""
#endif

namespace bulkhead {

/// Which program becomes the worker, and what it is given. A value. What cannot be one (an empty
/// path, a zero byte, a variable's name with =) is std::invalid_argument at once.
class BULKHEAD_API Launch {
 public:
  /// This executable, as it was when this process started. Its main must call serve_if_worker.
  static Launch self();
  /// Another one, which calls serve or serve_if_worker. PATH is not searched; a relative path is
  /// taken from the app's directory.
  static Launch executable(std::filesystem::path program);
  /// A shared library with a BULKHEAD_MODULE, served by the stock program bulkhead-worker: the one
  /// that BULKHEAD_WORKER_PROGRAM in the environment names, or that is installed or was built with
  /// this library.
  static Launch module(std::filesystem::path library) {
    return module(std::move(library), BULKHEAD_WORKER_PROGRAM_AT);
  }

  /// One more argument, after the program's name, and the library if there is one.
  Launch& arg(std::string argument);
  /// Several more.
  Launch& args(std::vector<std::string> arguments);
  /// Set besides the app's own environment (as it is when a pool or worker is made), or instead of
  /// what it says.
  Launch& env(std::string name, std::string value);
  /// Where it starts: the app's own directory unless told.
  Launch& working_directory(std::filesystem::path directory);
  /// Each worker by an exec of its own, instead of a fork of the fork server: slower to start, but
  /// nothing is shared, neither what preload has loaded nor where the memory lies.
  Launch& fresh(bool on = true);

  /// What it was told, for the library; empty where it was not told.
  const std::filesystem::path& program() const noexcept { return program_; }
  /// The module.
  const std::filesystem::path& library() const noexcept { return library_; }
  /// Where a package says that bulkhead-worker was installed.
  const std::string& packaged_worker() const noexcept { return packaged_worker_; }
  /// Whether fresh() was asked for.
  bool is_fresh() const noexcept { return fresh_; }
  /// What arg() and args() were told.
  const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  /// What env() was told.
  const std::vector<std::pair<std::string, std::string>>& environment() const noexcept {
    return environment_;
  }
  /// What working_directory() was told.
  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  static Launch module(std::filesystem::path library, std::string packaged_worker);

  std::filesystem::path program_;  // empty: this executable, or the stock one if there is a library
  std::filesystem::path library_;
  std::string packaged_worker_;
  bool fresh_ = false;
  std::vector<std::string> arguments_;
  std::vector<std::pair<std::string, std::string>> environment_;
  std::filesystem::path directory_;
};

/// What a Worker is, and what it and its calls are allowed.
struct WorkerOptions {
  /// Which program the worker is.
  Launch launch = Launch::self();
  /// For the program, until it serves, and for the worker, until it is ready. Not negative.
  /// BULKHEAD_CONNECT_TIMEOUT (seconds) in the environment wins.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// Calls that wait for the worker, besides the one it runs; past it they fail with queue_full.
  std::size_t queue_limit = 1024;
  /// How long a handler that was asked to stop may take, before its worker is killed. Not negative.
  std::chrono::milliseconds kill_grace = std::chrono::seconds(1);
  /// Of make_bytes, and of the worker's own Context::make_bytes.
  BytesLimits bytes = {};
  /// What the worker may take and do. What cannot be enforced here keeps it from starting.
  Sandbox sandbox = Sandbox::contained();
  /// Where completion handlers of async_run run that have no executor of their own. Empty: on the
  /// library's reactor, where nothing may block, because all pools wait for it.
  boost::asio::any_io_executor executor = {};
};

/// What a shutdown did. All zeros where there was nothing to shut down.
struct ShutdownReport {
  std::size_t calls_completed = 0;      ///< answered while it waited
  std::size_t calls_failed = 0;         ///< failed while it waited, or with shut_down after it
  std::size_t workers_left = 0;         ///< ended by themselves when asked to, spares included
  std::size_t workers_killed = 0;       ///< ended by signals of this library
  std::vector<pid_t> unkillable = {};   ///< the kernel did not let these go; usually empty
  std::chrono::milliseconds elapsed{};  ///< from the call of shutdown() until all was gone
};

/// Calls of the service S, answered by one process, which is not replaced. Once it has ended, calls
/// fail with errc::worker_crashed and the report, or errc::shut_down; nothing is tried again.
/// Movable and thread safe; default constructed, it is not alive.
/// Dropped without shutdown(), it fails what is open with errc::shut_down, and kills its process
/// and all that it started.
template <class S>
class Worker : public Caller<S> {
  using Caller<S>::workers_;

 public:
  /// Not alive: its calls fail with errc::shut_down.
  Worker() = default;

  /// Returns once the worker is ready; throws Error if it does not get there, and
  /// std::invalid_argument, naming the field, for options that make no sense.
  static Worker start(const WorkerOptions& options = {}) {
    return Worker(detail::start_worker(detail::contract_of<S>(), options));
  }
  /// The same as an asynchronous operation of Asio, for any of its completion tokens: it completes
  /// once, with (std::exception_ptr, Worker); the worker is not alive where it failed. Never throws
  /// Error or std::invalid_argument, and keeps no thread waiting. The handler is posted to its
  /// executor, where it has none to the one of `options`, and never runs inside this function. Its
  /// allocator and cancellation slot are used: cancelled, whatever the type, the start is ended,
  /// and completes with errc::cancelled when nothing is left of it. If its execution context ends
  /// first, the handler is destroyed without having run, and the process killed.
  template <class Token>
  static auto async_start(WorkerOptions options, Token&& token) {
    return detail::async_start<Worker>(detail::contract_of<S>(), std::move(options), token);
  }

  /// Takes no new calls, waits for those that are open, asks the process to leave; what is left
  /// after `grace` fails with errc::shut_down, and the process and all that it started are ended
  /// (SIGTERM, a second later SIGKILL). Blocks until they are gone.
  ShutdownReport shutdown(std::chrono::milliseconds grace = std::chrono::seconds(30)) {
    return workers_ ? workers_->shutdown(grace) : ShutdownReport{};
  }
  /// The same as an asynchronous operation of Asio, as Pool::async_shutdown.
  template <class Token>
  auto async_shutdown(std::chrono::milliseconds grace, Token&& token) {
    return detail::async_shutdown<ShutdownReport>(workers_.get(), grace, token);
  }

  /// The report, once the process ended unasked; else empty.
  std::optional<CrashReport> crash() const {
    return workers_ ? workers_->crash() : std::optional<CrashReport>{};
  }
  /// How it is held; nothing is in force where there is no process.
  Containment containment() const { return workers_ ? workers_->containment() : Containment{}; }
  /// True while it is ready for calls.
  bool alive() const { return workers_ && workers_->alive(); }
  /// The process's id, 0 if there is none; still the same when it has ended.
  pid_t pid() const { return workers_ ? workers_->pid() : 0; }

 private:
  template <class>
  friend struct detail::StartOutcome;
  explicit Worker(std::unique_ptr<detail::WorkerSet> workers) : Caller<S>(std::move(workers)) {}
};

}  // namespace bulkhead
