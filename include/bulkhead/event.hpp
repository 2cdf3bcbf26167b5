/// @file
/// What happens in a pool, for whoever watches it: logs, metrics, alarms. Values; nothing of what
/// requests and responses hold is in them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "bulkhead/detail/export.hpp"
#include "bulkhead/error.hpp"

namespace bulkhead {

/// What an Event tells of.
enum class EventKind {
  started,       ///< a worker's process is there, and gets ready
  ready,         ///< it takes calls, or is a spare
  call_settled,  ///< a call has its answer or its error
  crashed,       ///< a worker ended unasked, or was killed for what it did: see Event::report
  recycled,      ///< one left because it had served for long enough: see `recycle_...`
  stopped,       ///< one left, or was ended, for a shutdown, a reload, or want of work
  suspect,       ///< one has not beaten for three times PoolOptions::heartbeat
  recovered,     ///< a suspect one beats again
  broken,        ///< the pool pauses, after too many crashes: see RestartLimit
  healed,        ///< a worker is ready again, after that
  output,        ///< a worker wrote a line, where WorkerOutput::event asks for it
};

/// The kind's name, as "call_settled".
BULKHEAD_API const char* to_string(EventKind kind) noexcept;

/// One thing that happened. What does not belong to its kind is empty.
struct Event {
  EventKind kind = EventKind::started;  ///< what it tells of
  std::string service = {};             ///< the service's name
  pid_t pid = 0;                        ///< the worker's; 0 where none is meant
  std::string request = {};             ///< with call_settled: the request type's name
  std::uint64_t call = 0;               ///< with it: the call's number; 0: it was refused at once
  std::error_code error = {};           ///< with it: how it ended; empty where it was answered
  /// With it: how long it waited, and then ran, of calls that are measured; else zero.
  std::chrono::nanoseconds waited = {};
  std::chrono::nanoseconds ran = {};  ///< see `waited`
  /// With crashed, recycled and stopped: what is known about the process. With broken: the last
  /// crash, if there was one.
  std::shared_ptr<const CrashReport> report = {};
  int descriptor = 0;  ///< with output: 1 or 2, standard output or error; `text` is the line
  /// How many of call_settled and output were dropped before this one, because the callback is
  /// slow.
  std::uint64_t missed = 0;
  /// A whole sentence, as an Error's.
  std::string text = {};
};

}  // namespace bulkhead
