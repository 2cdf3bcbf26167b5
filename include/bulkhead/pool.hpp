/// @file
/// Several workers of one service behind one queue. Workers that die are replaced; calls that had
/// not begun move on to others without anyone noticing. Thread safe.
/// It belongs to the process that made it: in one forked off that, calls fail with shut_down, and
/// another pool can be made.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "bulkhead/caller.hpp"
#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/event.hpp"
#include "bulkhead/sandbox.hpp"
#include "bulkhead/service.hpp"
#include "bulkhead/stats.hpp"
#include "bulkhead/worker.hpp"

namespace bulkhead {

/// How many crashes that no request explains (at start, or idle) a pool bears within a period.
/// Past it, it pauses for 15 s, and as long as no worker is ready its calls fail with
/// errc::restart_limit.
struct RestartLimit {
  unsigned count = 5;                                           ///< 0: it never gives up
  std::chrono::milliseconds period = std::chrono::seconds(30);  ///< not negative
};

/// What run() does when the queue is full.
enum class OnFull {
  reject,  ///< the call fails with errc::queue_full at once
  /// The calling thread waits for room, at most `queue_wait`; who came first is let in first. On
  /// the library's own thread, where a logger may run, nothing waits: there it is a reject.
  wait,
};

/// Where the lines go that workers write to their standard output and error. Those of two workers
/// are never mixed within a line; long lines are cut; whoever writes faster than they go loses
/// some, and holds up nobody else.
enum class WorkerOutput {
  inherit,  ///< to the app's own, as they are
  log,      ///< to the logger, output as info and errors as warnings, at most 1000 in a second
  event,    ///< to `on_event`, as EventKind::output
};

/// How many workers, of which program, and what they and their calls are allowed.
struct PoolOptions {
  /// From 1 to 4096; at most, where there is a least.
  std::size_t workers = std::max(1u, std::thread::hardware_concurrency());
  /// Which program the workers are.
  Launch launch = Launch::self();
  /// For the program, until it serves, and for each worker, until it is ready. Not negative.
  /// BULKHEAD_CONNECT_TIMEOUT (seconds) in the environment wins.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// The least that there are: the pool starts with so many, grows by one for each call that waits
  /// for some milliseconds, up to `workers`, and shrinks by each that had no call for
  /// `idle_timeout`. At most `workers`. 0: there are always `workers`, or as `lazy` says.
  std::size_t min_workers = 0;
  /// No worker is started before a call needs one; after that as above, with `min_workers` taken as
  /// it is, so that 0 lets all of them go. The program is launched and compared at once all the
  /// same, so that a wrong one is told by the constructor. With a `queue_limit` of 0 no call can
  /// wait for the first one.
  bool lazy = false;
  /// Workers kept ready besides, without calls: when one dies, a spare takes its place at once, and
  /// another spare is started. With `workers` at most 4096.
  std::size_t spares = 0;
  /// Calls that wait, besides those that workers run; past it, new ones fail with errc::queue_full.
  std::size_t queue_limit = 1024;
  /// What becomes of the new ones.
  OnFull on_full = OnFull::reject;
  /// How long run() may wait with OnFull::wait, before the call fails with errc::queue_full. A
  /// shutdown, and the call's own RunOptions, end it earlier. Not negative.
  std::chrono::milliseconds queue_wait = std::chrono::seconds(30);
  /// How many workers one idempotent request may take down before it is given up; at least 1.
  /// The end of a worker that ran others besides (ServeOptions::threads) does not count: it is run
  /// alone then.
  unsigned max_attempts = 3;
  /// How long a handler that was asked to stop may take, before its worker is killed and replaced.
  /// Not negative.
  std::chrono::milliseconds kill_grace = std::chrono::seconds(1);
  /// When to stop replacing workers that die for no request.
  RestartLimit restart = {};
  /// How long a worker has no call before it is let go, where the pool may shrink. Not negative.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);
  /// A worker that has answered so many calls is replaced: a new one gets ready first, then this
  /// one is given no more, answers what it has begun, and leaves. Up to a tenth earlier, so that
  /// workers do not leave together; few at once. 0: never.
  std::size_t recycle_after_requests = 0;
  /// The same for one that has more than so many bytes of memory (resident, what it shares with
  /// others included), looked at about ten times a second while there are calls. 0: any size.
  std::size_t recycle_above_rss = 0;
  /// The same for one that has so many bytes more than at the first look. 0: any growth.
  std::size_t recycle_above_growth = 0;
  /// The same at such an age. Not negative; 0: any age.
  std::chrono::milliseconds recycle_after_age = {};
  /// How many workers the calls of one RunOptions::key may take down, before that key's calls fail
  /// with errc::request_quarantined, those that wait included. That lasts 30 s; then they may take
  /// down as many again. As with max_attempts, the end of a worker that ran others besides does not
  /// count. 0: any number. Calls without a key are never refused.
  unsigned poison_limit = 2;
  /// How often each worker is to say that it lives, by a thread of its own: from 1 ms. One that
  /// has not for three times as long is suspect: EventKind::suspect tells of it. A handler that
  /// takes long does not keep it from beating; being stopped (SIGSTOP), or swapped out, does. 0:
  /// it need not, and has no such thread.
  std::chrono::milliseconds heartbeat = {};
  /// A suspect worker is killed, with Cause::stopped_beating, and replaced.
  bool kill_suspects = false;
  /// Of a packed request or response, in bytes; at least 1. Larger ones fail with
  /// errc::message_too_large; no memory is set aside for it.
  std::size_t max_message = std::size_t{1} << 30;
  /// Of make_bytes, and of each worker's Context::make_bytes.
  BytesLimits bytes = {};
  /// Is told what happens, one event after the other, in order, on `executor`; what it throws is
  /// logged. None is told after the pool is destroyed; on the library's own reactor (no `executor`)
  /// all are told before.
  std::function<void(const Event&)> on_event = {};
  /// Control characters in lines that are logged or told are written as `\\x1b`.
  WorkerOutput output = WorkerOutput::inherit;
  /// What workers may take and do. What cannot be enforced here keeps the pool from starting.
  Sandbox sandbox = Sandbox::contained();
  /// Where completion handlers of async_run run that have no executor of their own. Empty: on the
  /// library's reactor, where nothing may block, because all pools wait for it.
  boost::asio::any_io_executor executor = {};
};

/// Calls of the service S, answered by several workers. Movable, not copyable; once moved from, its
/// calls fail with errc::shut_down. Several pools, of one service or many, are independent.
/// Dropped without shutdown(), it fails what is open with errc::shut_down, kills its workers and
/// all that they started, and returns when they are gone.
template <class S>
class Pool : public Caller<S> {
  using Caller<S>::workers_;

 public:
  /// Returns when every worker and spare is ready or has failed; throws Error if none is ready, and
  /// std::invalid_argument, naming the field, for options that make no sense.
  explicit Pool(const PoolOptions& options = {})
      : Caller<S>(detail::start_pool(detail::contract_of<S>(), options)) {}

  /// Calls each worker that takes calls now, once: to reload what it keeps, to drop its caches. The
  /// calls wait for their workers, past the `queue_limit`; spares, and workers that are started
  /// later, get none. RunOptions::key is not looked at. A worker that is to leave runs its call
  /// first; if it dies before, the call fails with errc::worker_crashed, idempotent or not, and if
  /// it has just gone, with errc::not_running. Empty where no worker is ready. Thread safe.
  template <RequestOf<S> R>
  std::vector<Future<ResponseOf<R>>> broadcast(const R& request, RunOptions options = {}) {
    options.key.clear();
    return detail::broadcast<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request,
                                            options);
  }

  /// Takes calls of this key again at once, as if they had taken no worker down. Nothing where they
  /// were not refused. Thread safe.
  void clear_quarantine(const std::string& key) {
    if (workers_) workers_->clear_quarantine(key);
  }

  /// Replaces every worker and spare, one after the other, and loses no call: what an old one runs
  /// it finishes, what it has not begun goes to others. The program is launched anew, so that an
  /// executable that was replaced is picked up (not by Launch::self()). Returns when the last old
  /// worker has left, so not before the calls that those run are answered. Throws the Error if the
  /// program does not start or its first worker does not get ready; then all is as before. A later
  /// one that fails leaves those that are not replaced yet as they are. Further calls of reload()
  /// meanwhile wait, and share the one that begins after it. Throws errc::shut_down when the pool
  /// ends or has ended.
  void reload() {
    if (!workers_) throw Error(errc::shut_down, "the pool is empty: it was moved from");
    workers_->reload();
  }

  /// How the pool is; all zeros once it was moved from.
  PoolStats stats() const { return workers_ ? workers_->stats() : PoolStats{}; }

  /// How its workers are held; nothing is in force once it was moved from. Thread safe.
  Containment containment() const { return workers_ ? workers_->containment() : Containment{}; }

  /// Takes no new calls, waits for those that are open, asks the workers to leave; what is left
  /// after `grace` fails with shut_down, and the workers' whole process trees are ended (SIGTERM,
  /// a second later SIGKILL). Blocks until they are gone. A negative grace is none, one beyond the
  /// clock's range is for ever. A second call, from any thread, gives the same report.
  ShutdownReport shutdown(std::chrono::milliseconds grace = std::chrono::seconds(30)) {
    return workers_ ? workers_->shutdown(grace) : ShutdownReport{};
  }
  /// The same as an asynchronous operation of Asio, for any of its completion tokens: it completes
  /// once, with (std::exception_ptr, ShutdownReport), when all is gone. The exception is null,
  /// unless there was no memory to begin it. No thread waits. The handler is posted to its
  /// executor, where it has none to the `executor` of the options, and never runs inside this
  /// function. It may not be cancelled: `grace` limits it. When the pool is dropped meanwhile, that
  /// kills what is left at once, and the operation completes all the same.
  template <class Token>
  auto async_shutdown(std::chrono::milliseconds grace, Token&& token) {
    return detail::async_shutdown<ShutdownReport>(workers_.get(), grace, token);
  }

  /// @cond
 protected:
  explicit Pool(std::unique_ptr<detail::WorkerSet> workers) : Caller<S>(std::move(workers)) {}
  /// @endcond
};

}  // namespace bulkhead
