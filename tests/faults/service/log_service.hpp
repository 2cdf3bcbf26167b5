// The services of the tests of log lines: handlers that log, each in its way.
#pragma once

#include <cstdint>
#include <string>

#include "bulkhead/bulkhead.hpp"

namespace bulkhead::test {

// Logs `text` so many times, with a number behind it if that is more than once. Answers with its
// call's number.
struct Log {
  using Response = std::uint64_t;
  std::string text = {};
  int level = 2;  // as spdlog numbers them
  std::uint64_t times = 1;
  bool by_thread = false;  // by another than the handler's
  bool by_fork = false;    // in a fork of the worker
  bool dies = false;       // instead of an answer
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text, level, times, by_thread, by_fork, dies);
  }
};

// Logs as fast as it can, and until there is a file `until`. Answers how often.
struct LogOn {
  using Response = std::uint64_t;
  std::string begun, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until);
  }
};

enum class ForgedLine : std::uint8_t {
  unknown_level,
  too_long,
  without_level,
  empty,
  count,
  // what is none of a worker's faults
  of_unknown_call,
  flood,
};

// Sends such a line behind the library's back, and then runs until it is killed.
struct ForgeLine {
  using Response = void;
  ForgedLine how = ForgedLine::unknown_level;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(how);
  }
};

struct LogService : Service<"log", Log, LogOn, ForgeLine> {};

// A coroutine that logs "before", waits, and logs "after".
struct LogAndWait {
  using Response = std::uint64_t;
  template <class Archive>
  void serialize(Archive&) {}
};

struct CoLogService : Service<"co_log", Log, LogAndWait> {};

// LOG_WARM_UP in the environment: what warm_up is to log.
void serve_logs_if_worker();

}  // namespace bulkhead::test
