// What can go wrong with a call, and what is known about a worker that died.
// Everything here is a value: copy it, keep it, read it from any thread.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace bulkhead {

// Why a call, or the start of workers, failed; beside each what to do about it.
enum class errc {
  start_failed =
      1,  // the program did not start, or ended before it was ready: see system(), crash()
  connect_timeout,   // it did not become ready in time: is it a worker at all, is preload too slow?
  version_mismatch,  // the two sides speak different protocols: build both with one Bulkhead
  contract_mismatch,  // same protocol, other service, version or requests: rebuild the older side
  not_served,         // launched as a worker, but no serve_if_worker ran: call it first in main
  worker_crashed,     // the process ended while it held the request: crash() tells how
  handler_failed,     // the handler threw in the worker, which lives on
  codec_failed,       // the request's or response's own serialize threw in the app
  deadline_exceeded,  // the call was not answered in time
  cancelled,          // its caller took it back
  queue_full,         // too many calls wait: try later
  shut_down,          // the pool or worker was shut down or destroyed
  message_too_large,  // the request or the response exceeds max_message
  restart_limit,      // too many crashes that no request explains: the pool pauses, see crash()
};
std::error_code make_error_code(errc) noexcept;

// How a process ended: by exit, by a signal, or unknown (neither is set).
struct ExitStatus {
  std::optional<int> code = {};
  std::optional<int> signal = {};
  bool core_dumped = false;

  bool operator==(const ExitStatus&) const = default;
};

// Why a worker ended: the first cause, never its consequence.
enum class Cause {
  exited,              // by itself, by exit or a return
  signaled,            // by a signal that this library did not send
  deadline,            // killed: a call's deadline passed and its handler did not stop
  cancelled,           // killed: a call was cancelled and its handler did not stop
  protocol_violation,  // killed: it wrote what no worker writes
  connect_timeout,     // killed: it was not ready in time
  shut_down,           // asked to leave, or killed because its owner ended
  fork_server_lost,    // the process that watches the workers died, and they with it
  unknown,             // it ended, and nobody could say how
};

// A call that a worker had begun when it ended.
struct RunningCall {
  std::string request;  // the type's name, without namespaces
  std::uint64_t id = 0;
  unsigned attempt = 1;
  std::chrono::milliseconds age{};  // since the worker came to it
};

// What is known about a process that ended unasked.
struct CrashReport {
  pid_t pid = 0;
  std::string service{};
  Cause cause = Cause::unknown;
  ExitStatus status{};
  std::vector<RunningCall> running{};  // empty: it was idle, or not ready yet
  std::string stderr_tail{};           // at most the last 64 KiB of its standard error
  std::chrono::milliseconds uptime{};
  rusage usage{};  // CPU time and peak memory (ru_maxrss, KiB), of it and what it waited for
};

// Every failure that this library reports. what() is a whole sentence.
class Error : public std::system_error {
 public:
  Error(errc code, std::string sentence, std::error_code system = {},
        std::shared_ptr<const CrashReport> crash = {});

  // Copying never throws. There is no move: an Error always has its sentence.
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;

  const char* what() const noexcept override { return sentence_->c_str(); }
  // Set whenever a process ended, whatever the code. Lives as long as this Error or a copy of it.
  const CrashReport* crash() const noexcept { return crash_.get(); }
  // The errno behind it, where there is one.
  std::error_code system() const noexcept { return system_; }

 private:
  std::shared_ptr<const std::string> sentence_;  // shared: copying an exception must not throw
  std::shared_ptr<const CrashReport> crash_;
  std::error_code system_;
};

}  // namespace bulkhead

template <>
struct std::is_error_code_enum<bulkhead::errc> : std::true_type {};
