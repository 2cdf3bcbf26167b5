// Several workers of one service behind one queue. Workers that die are replaced; calls that had
// not begun move on to others without anyone noticing. Thread safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "bulkhead/detail/worker_set.hpp"
#include "bulkhead/error.hpp"
#include "bulkhead/future.hpp"
#include "bulkhead/service.hpp"
#include "bulkhead/worker.hpp"

namespace bulkhead {

// How many crashes that no request explains (at start, or idle) a pool bears within a period.
// Past it, it pauses for 15 s and fails its calls with restart_limit. A count of 0 never gives up.
struct RestartLimit {
  unsigned count = 5;
  std::chrono::milliseconds period = std::chrono::seconds(30);
};

struct PoolOptions {
  std::size_t workers = std::max(1u, std::thread::hardware_concurrency());
  Launch launch = Launch::self();
  // For each worker, until it is ready. BULKHEAD_CONNECT_TIMEOUT (seconds) in the environment wins.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // Calls that wait for a worker; past it, run() fails with queue_full.
  std::size_t queue_limit = 1024;
  // How many workers one idempotent request may take down before it is given up.
  unsigned max_attempts = 3;
  RestartLimit restart = {};
  // Of a packed request or response, in bytes.
  std::size_t max_message = std::size_t{1} << 30;
};

// A snapshot; the counters count from the start of the pool.
struct PoolStats {
  std::size_t workers = 0;      // alive and ready
  std::size_t queued = 0;       // calls that wait for a worker
  std::size_t in_flight = 0;    // calls that workers have at hand
  std::uint64_t completed = 0;  // calls answered
  std::uint64_t failed = 0;     // calls that ended with an error, handlers' own included
  std::uint64_t crashes = 0;    // workers that ended unasked, those that never got ready included
  std::uint64_t restarts = 0;   // workers started to replace one
};

// Dropped without shutdown(), it kills its workers and all that they started.
template <class S>
class Pool {
 public:
  // Returns when every worker is ready or has failed; throws Error if none is ready, and
  // std::invalid_argument, naming the field, for options that make no sense.
  explicit Pool(const PoolOptions& options = {})
      : workers_(detail::start_pool(detail::contract_of<S>(), options)) {}

  // Never throws Error: every failure arrives through the future.
  template <RequestOf<S> R>
  Future<ResponseOf<R>> run(R request) {
    return detail::run<ResponseOf<R>>(workers_.get(), detail::request_type<S, R>, request);
  }

  PoolStats stats() const { return workers_ ? workers_->stats() : PoolStats{}; }

  // Takes no new calls, waits for those that are open, asks the workers to leave; what is left
  // after `grace` fails with shut_down, and the workers' whole process trees are ended (SIGTERM,
  // a second later SIGKILL). A second call gives the same report.
  ShutdownReport shutdown(std::chrono::milliseconds grace = std::chrono::seconds(30)) {
    return workers_ ? workers_->shutdown(grace) : ShutdownReport{};
  }

 private:
  std::unique_ptr<detail::WorkerSet> workers_;
};

}  // namespace bulkhead
