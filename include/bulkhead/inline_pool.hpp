/// @file
/// A pool without processes, for tests of code that uses one: its handlers run in this process,
/// where a debugger, a profiler and a sanitizer see them. For handlers that are well behaved: one
/// that crashes takes this process down, as it would without Bulkhead.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "bulkhead/detail/dispatcher.hpp"
#include "bulkhead/detail/export.hpp"
#include "bulkhead/detail/handlers.hpp"
#include "bulkhead/pool.hpp"
#include "bulkhead/serve.hpp"

namespace bulkhead {

namespace detail {

template <class T, class... Others>
concept NoneOf = (!std::is_same_v<std::remove_cvref_t<T>, Others> && ...);

// Throws as start_pool() does.
BULKHEAD_API std::unique_ptr<WorkerSet> start_inline_pool(const Contract& contract,
                                                          const PoolOptions& options,
                                                          const ServeOptions& serve,
                                                          std::unique_ptr<Dispatcher> dispatcher);

}  // namespace detail

/// The in-process twin of a Pool: what takes a `Pool<S>&` takes one of these. Its workers are
/// threads. All else is as in a pool: requests and responses are packed and go through the same
/// queue and rings, with the same limits, deadlines, errors, events and statistics.
///
/// What is different:
/// - The workers share the handlers and whatever else the process has: as many handlers run at the
///   same time as there are workers, times ServeOptions::threads. Take one worker for handlers that
///   are not thread safe.
/// - A worker that is to be killed, because a call of it was not ended within `kill_grace`, or as
///   the pool ends, is told to stop (Context::stop_requested), and its calls fail as if it had been
///   killed. The thread goes on until its handler returns: the pool's destructor and shutdown()
///   wait for it, however long that takes.
/// - PoolOptions::launch, `sandbox`, `heartbeat`, `output`, `recycle_above_rss` and
///   `recycle_above_growth` do nothing here, as containment() says of the sandbox; standard output
///   and error are the process's own. The workers' pids and memory are the process's. reload()
///   replaces the threads only.
/// - ServeOptions::preload runs on a thread of its own, as `warm_up` does on each worker's.
template <class S>
class InlinePool : public Pool<S> {
 public:
  /// Handlers as serve_if_worker() takes them. Throws Error if no worker got ready, and
  /// std::invalid_argument, naming the field, for options that make no sense.
  template <class... Handlers>
  explicit InlinePool(const PoolOptions& options, const ServeOptions& serve, Handlers&&... handlers)
      : Pool<S>(detail::start_inline_pool(
            detail::contract_of<S>(), options, serve,
            detail::make_dispatcher<S>(std::forward<Handlers>(handlers)...))) {}
  /// The same with default options to serve by.
  template <detail::NoneOf<ServeOptions>... Handlers>
  explicit InlinePool(const PoolOptions& options, Handlers&&... handlers)
      : InlinePool(options, ServeOptions{}, std::forward<Handlers>(handlers)...) {}
  /// The same with one worker, and so with one handler at a time.
  template <detail::NoneOf<PoolOptions, InlinePool<S>>... Handlers>
  explicit InlinePool(Handlers&&... handlers)
      : InlinePool(PoolOptions{.workers = 1}, ServeOptions{}, std::forward<Handlers>(handlers)...) {
  }
};

}  // namespace bulkhead
