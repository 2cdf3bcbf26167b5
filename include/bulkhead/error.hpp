/// @file
/// What can go wrong with a call, and what is known about a worker that died.
/// Everything here is a value: copy it, keep it, read it from any thread.
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

#include "bulkhead/detail/export.hpp"

namespace bulkhead {

/// Why a call, or the start of workers, failed, and what to do about it.
enum class errc {
  /// The program did not start, or ended before it was ready. See Error::system() and crash().
  start_failed = 1,
  /// It did not become ready in time: is it a worker at all, is its preload too slow?
  connect_timeout,
  /// The two sides speak different protocols, or have different standard libraries: build both
  /// alike, with one Bulkhead.
  version_mismatch,
  /// Same protocol, but another service, version or list of requests: rebuild the older side.
  contract_mismatch,
  /// The program was launched as a worker, but did not serve: call serve_if_worker first in main.
  not_served,
  /// The process ended while it held the request: crash() tells how. An idempotent request was
  /// tried `max_attempts` times.
  worker_crashed,
  /// The handler, or a type's serialize, threw in the worker, which lives on. what() has the
  /// exception's type and text.
  handler_failed,
  /// The request's or the response's own serialize threw in the app.
  codec_failed,
  /// The call was not answered in time (RunOptions). crash() is set if its worker was killed.
  deadline_exceeded,
  /// The call was called off. crash() is set if its worker was killed.
  cancelled,
  /// Too many calls wait for a worker: try later, or raise `queue_limit`.
  queue_full,
  /// The pool or worker was shut down, destroyed, or moved from.
  shut_down,
  /// The packed request or response exceeds `max_message`.
  message_too_large,
  /// Too many crashes that no request explains: the pool pauses. crash() is the last of them.
  restart_limit,
  /// Calls of its key (RunOptions::key) took `poison_limit` workers down: they are refused for
  /// 30 s. crash() is the last of them. See Pool::clear_quarantine.
  request_quarantined,
  /// The other end of the channel is gone. crash() is set if its process ended.
  channel_closed,
  /// What it was for has left: a call of Pool::broadcast, before its worker came to it.
  not_running = 19,
  /// This system cannot enforce what PoolOptions::sandbox asks for: what() names it and says why.
  /// Ask for less, or for Sandbox::best_effort().
  not_enforced,
};

/// An errc as a std::error_code of the category "bulkhead". Never fails.
BULKHEAD_API std::error_code make_error_code(errc) noexcept;

/// How a process ended: by exit, by a signal, or unknown (neither is set).
struct ExitStatus {
  std::optional<int> code = {};    ///< what it gave to exit, or returned from main
  std::optional<int> signal = {};  ///< what killed it, as SIGSEGV
  /// Whether it left a core dump: workers do where Sandbox::core allows it. Where it lies is in
  /// `/proc/sys/kernel/core_pattern`.
  bool core_dumped = false;

  /// Equal when all fields are.
  bool operator==(const ExitStatus&) const = default;
};

/// Why a worker ended: the first cause, never its consequence.
enum class Cause {
  exited,              ///< by itself: by exit or a return
  signaled,            ///< by a signal that this library did not send
  deadline,            ///< killed: a call was past its deadline and did not stop
  cancelled,           ///< killed: a call was called off and did not stop
  out_of_memory,       ///< killed by the kernel, which had no memory left for it
  limit,               ///< ended: it was past one of its limits (Sandbox): CrashReport::limit
  protocol_violation,  ///< killed: it wrote what no worker writes
  connect_timeout,     ///< killed: it was not ready in time
  recycled,            ///< asked to leave because it had served for long enough
  shut_down,           ///< asked to leave, or killed because its owner ended
  stopped_beating,     ///< killed: it did not beat (PoolOptions::heartbeat)
  fork_server_lost,    ///< the process that watches the workers died, and they with it
  unknown,             ///< it ended, and nobody could say how
};

namespace worker {
class CrashStack;
}
namespace detail {
struct Reports;
}

/// A call that a worker had begun when it ended. One that it held but had not begun is not listed:
/// another worker gets it.
struct RunningCall {
  std::string request;              ///< the type's name, without namespaces
  std::uint64_t id = 0;             ///< counts the calls of a pool, from 1: Context::request_id()
  unsigned attempt = 1;             ///< from 1; more when workers before it died of the call
  std::chrono::milliseconds age{};  ///< since the worker came to it
};

/// What is known about a process that ended unasked: a worker, or the fork server of workers.
struct CrashReport {
  pid_t pid = 0;                       ///< its process id, which may be another's by now
  std::string service{};               ///< the service's name
  Cause cause = Cause::unknown;        ///< why it ended
  ExitStatus status{};                 ///< how it ended
  std::string limit{};                 ///< with Cause::limit: which, as Sandbox names it: "cpu"
  std::vector<RunningCall> running{};  ///< empty: it was idle, or not ready yet
  std::string stderr_tail{};           ///< at most the last 64 KiB of its standard error
  /// Of the thread that crashed, innermost first; empty where none could be taken. A line is
  /// "function (file:line)", "function" or "module+0x1234", as far as names are to be had.
  std::vector<std::string> stack{};
  std::chrono::milliseconds uptime{};  ///< from its start to its end
  /// CPU time and peak memory (`ru_maxrss`, KiB), of it and of what it waited for.
  rusage usage{};
  /// The library's own: what `stack` is made of, once somebody asks for it.
  std::shared_ptr<worker::CrashStack> raw_stack{};
};

/// Every failure that this library reports; only mistakes in its use are std::invalid_argument or
/// std::future_error. code() is an errc, which `error.code() == bulkhead::errc::queue_full` asks.
class BULKHEAD_API Error : public std::system_error {
 public:
  /// `sentence` is what what() gives; the others are what system() and crash() give.
  Error(errc code, std::string sentence, std::error_code system = {},
        std::shared_ptr<const CrashReport> crash = {});

  /// Copying never throws. There is no move: an Error always has its sentence.
  Error(const Error&) = default;
  /// Never throws.
  Error& operator=(const Error&) = default;

  /// A whole sentence, such as "thumbnailer worker 4711 died of SIGSEGV while it ran Thumbnail
  /// (call 17, 12 ms, attempt 1)". Lives as long as this Error or a copy of it.
  const char* what() const noexcept override { return sentence_->c_str(); }
  /// Set whenever a process ended, whatever the code; else null. Lives as long as this Error or a
  /// copy of it. The first time, the stack's functions and lines are looked up, which may take tens
  /// of milliseconds.
  const CrashReport* crash() const noexcept;
  /// The errno behind it, where there is one.
  std::error_code system() const noexcept { return system_; }

 private:
  friend detail::Reports;
  std::shared_ptr<const std::string> sentence_;  // shared: copying an exception must not throw
  std::shared_ptr<const CrashReport> crash_;
  std::error_code system_;
};

}  // namespace bulkhead

/// @cond
// Lets an errc be compared with, and become, a std::error_code.
template <>
struct std::is_error_code_enum<bulkhead::errc> : std::true_type {};
/// @endcond
