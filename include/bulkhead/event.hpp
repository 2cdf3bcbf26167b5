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
  broken,        ///< the pool gave up restarting for now: see RestartLimit
  healed,        ///< a worker is ready again, after that
};

/// The kind's name, as "call_settled".
BULKHEAD_API const char* to_string(EventKind kind) noexcept;

/// One thing that happened. What does not belong to its kind is empty.
struct Event {
  EventKind kind = EventKind::started;
  std::string service = {};  ///< the service's name
  pid_t pid = 0;             ///< the worker's; 0 where none is meant
  /// With call_settled: the request type's name, the call's number (0 where it was never queued),
  /// how it ended (empty: answered), and how long it waited and ran, as far as that is known.
  std::string request = {};
  std::uint64_t call = 0;
  std::error_code error = {};
  std::chrono::nanoseconds waited = {};
  std::chrono::nanoseconds ran = {};
  /// With crashed, recycled and stopped: what is known about the process. With broken: the last
  /// crash, if there was one.
  std::shared_ptr<const CrashReport> report = {};
  /// How many of call_settled were dropped before this one, because the callback is slow.
  std::uint64_t missed = 0;
  /// A whole sentence, as an Error's.
  std::string text = {};
};

}  // namespace bulkhead
