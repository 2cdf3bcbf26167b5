/// @file
/// What workers may take and do: a Sandbox asks for it, a Containment tells what became of that.
/// For handlers that go wrong: one that takes too much is stopped before the machine suffers. It
/// keeps the rights of the app's user, so that whoever takes it over can still use those.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "bulkhead/detail/export.hpp"

namespace bulkhead {

/// How the workers of a pool are held: a level, and limits that refine it. A value. Limits hold for
/// each worker by itself, from before its warm_up on, and what it starts inherits them. What cannot
/// be enforced keeps the pool from starting (errc::not_enforced), unless best_effort() was asked.
/// A limit that makes no sense is std::invalid_argument at once.
class BULKHEAD_API Sandbox {
 public:
  /// How much is done before limits. Each level includes those before it.
  enum class Level {
    none,       ///< a session of its own, none of the app's descriptors; its whole tree is ended
    contained,  ///< and it gains no privileges by exec, and dumps no core
  };
  /// A limit that was not asked for is empty.
  struct Limits {
    std::optional<std::uint64_t> memory = {};      ///< bytes
    std::optional<std::uint64_t> cpu = {};         ///< seconds
    std::optional<std::uint64_t> open_files = {};  ///< descriptors
    std::optional<std::uint64_t> file_size = {};   ///< bytes
    std::optional<std::uint64_t> processes = {};   ///< processes and threads
    std::optional<std::uint64_t> core = {};        ///< bytes
  };

  /// The level `none`.
  static Sandbox none();
  /// The level `contained`, which is what workers have unless told.
  static Sandbox contained();

  /// Bytes of memory; at least 1. Where workers' cgroups have a memory controller, they are of what
  /// a worker and all that it started use: past it the kernel kills (Cause::out_of_memory). Else
  /// they are of address space, beyond what the worker has when it begins, and for each process by
  /// itself: past it no memory is given (std::bad_alloc, so errc::handler_failed, or a crash). Each
  /// thread takes some 10 MiB of that.
  Sandbox& memory(std::uint64_t bytes);
  /// CPU time of the worker's process, all threads together, over its whole life; at least 1 s.
  /// Past it, it ends (Cause::limit, SIGXCPU). Each process that it starts has as much.
  Sandbox& cpu(std::chrono::seconds time);
  /// Descriptors, beyond what the worker has when it begins and some 32 for the library. Past it,
  /// opening fails (EMFILE).
  Sandbox& open_files(std::uint64_t count);
  /// Bytes of a file that the worker writes. Past it, it ends (Cause::limit, SIGXFSZ). Large
  /// responses are sent another way then; Context::make_bytes of more fails.
  Sandbox& file_size(std::uint64_t bytes);
  /// Processes and threads, the worker's own included; at least 1. Past it, starting one fails
  /// (EAGAIN). Where cgroups have no pids controller, all of the app's user count, and root is not
  /// bound: then it cannot be enforced.
  Sandbox& processes(std::uint64_t count);
  /// Bytes of a core dump. Unless told, the level `contained` allows none, since a dump delays
  /// the notice of a crash. Where the kernel hands dumps to a program, their size is not limited.
  Sandbox& core(std::uint64_t bytes);
  /// What cannot be enforced is left out, as Containment tells.
  Sandbox& best_effort(bool on = true);

  /// What it was told, for the library.
  Level level() const noexcept { return level_; }
  /// The same: the limits.
  const Limits& limits() const noexcept { return limits_; }
  /// The same: whether it may leave out what cannot be enforced.
  bool is_best_effort() const noexcept { return best_effort_; }

 private:
  explicit Sandbox(Level level) : level_(level) {}

  Level level_;
  Limits limits_;
  bool best_effort_ = false;
};

/// How workers are held here: Pool::containment(). A value.
struct Containment {
  /// One thing that holds them.
  struct Measure {
    bool in_force = false;  ///< whether it does
    std::string how = {};   ///< by what, as "RLIMIT_AS"; where it is not in force, why not
  };
  Measure no_new_privs = {};  ///< no program that they execute has more privileges
  Measure core = {};          ///< they dump no core, or one of limited size
  Measure descriptors = {};   ///< they have none of the app's
  Measure session = {};       ///< they have a session of their own, without a terminal
  Measure tree = {};          ///< what they start ends with them
  Measure memory = {};        ///< see Sandbox::memory, and so on
  Measure cpu = {};           ///< CPU time
  Measure open_files = {};    ///< descriptors
  Measure file_size = {};     ///< bytes of a file
  Measure processes = {};     ///< processes and threads
};

/// A line for each measure, as "memory: RLIMIT_AS\n" or "processes: not in force: not asked for\n".
BULKHEAD_API std::string to_string(const Containment& containment);

}  // namespace bulkhead
