/// @file
/// How a pool is: Pool::stats(). Values; nothing of what requests and responses hold is in them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "bulkhead/error.hpp"

namespace bulkhead {

/// How long something took, over all calls that were measured: all of up to some 1000 a second,
/// and of more a share. Percentiles are right to an eighth.
struct Latency {
  std::uint64_t count = 0;            ///< how many calls were measured
  std::chrono::nanoseconds p50 = {};  ///< half took at most this
  std::chrono::nanoseconds p90 = {};  ///< nine of ten
  std::chrono::nanoseconds p99 = {};  ///< 99 of 100
  std::chrono::nanoseconds max = {};  ///< the longest of those measured
};

/// What a worker is doing.
enum class WorkerState {
  starting,  ///< it is not ready yet
  idle,      ///< it has no call
  busy,      ///< it has
  leaving,   ///< it ends when it has answered what it began
};

/// One worker of a pool.
struct WorkerStats {
  pid_t pid = 0;                ///< 0 as long as there is no process
  WorkerState state{};          ///< what it is doing
  bool spare = false;           ///< it is kept ready, without calls
  bool suspect = false;         ///< it has stopped beating: see PoolOptions::heartbeat
  std::size_t memory = 0;       ///< bytes, resident; pages that workers share count in each
  std::uint64_t completed = 0;  ///< calls that it answered
  std::vector<RunningCall> running = {};  ///< what it has begun
};

/// A snapshot of Pool::stats(); the counters count from the start of the pool.
struct PoolStats {
  std::size_t workers = 0;      ///< alive and ready, without spares
  std::size_t queued = 0;       ///< calls that wait for a worker
  std::size_t in_flight = 0;    ///< calls that workers have at hand
  std::uint64_t completed = 0;  ///< calls answered
  std::uint64_t failed = 0;     ///< calls that ended with an error, of whatever kind
  std::uint64_t crashes = 0;    ///< workers that ended unasked, those that never got ready included
  std::uint64_t restarts = 0;   ///< workers and spares started to replace one, not by reload()
  std::uint64_t recycled = 0;   ///< workers that were replaced because they had served long enough
  std::map<Cause, std::uint64_t> ends = {};  ///< workers that ended, by why
  Latency queue_time = {};                   ///< from the call until a worker came to it
  Latency run_time = {};                     ///< from then until its answer was seen
  std::vector<WorkerStats> each = {};        ///< the workers that there are, spares included
};

}  // namespace bulkhead
