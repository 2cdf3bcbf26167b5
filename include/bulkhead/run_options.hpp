/// @file
/// How long a call may take, who may call it off, which others it goes before, and where it goes.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace bulkhead {

/// What one call is allowed. Past a deadline it ends with errc::deadline_exceeded, called off with
/// errc::cancelled. One that no worker has begun is taken back at once. The handler of one that was
/// begun is asked to stop (Context::stop_requested); the call ends when its worker has answered,
/// whose late answer is dropped, or was killed and replaced, kill_grace after it was asked. An
/// answer that is there when a deadline comes wins. Deadlines go by the steady clock.
struct RunOptions {
  /// From the call on. Zero or less: it is past already. One beyond the clock's range is none.
  std::optional<std::chrono::nanoseconds> timeout = {};
  /// From when a worker takes it up, anew for each attempt. In a worker that runs several calls at
  /// once the app sees this with a delay of up to an eighth.
  std::optional<std::chrono::nanoseconds> run_timeout = {};
  /// Calls it off, from any thread, as Future::cancel() does.
  std::stop_token stop = {};
  /// Calls that wait are begun in the order of it, the highest first; those of one priority in the
  /// order in which they came. What a worker has begun is not interrupted. A low one waits for as
  /// long as higher ones come: for ever, if the workers are never done with those. While calls of
  /// different priorities wait, workers are given none ahead, and very short calls take longer.
  int priority = 0;
  /// Calls of one key go to one worker: chosen as usual for the first, kept until that worker
  /// leaves or dies. While it is busy they wait for it, and others go on. So what a handler keeps
  /// for a session is there, as a rule: a crash, a reload, and 65 536 keys that were used since
  /// move it. Such calls are given to their worker one by one. Empty: any worker.
  std::string key = {};
};

}  // namespace bulkhead
