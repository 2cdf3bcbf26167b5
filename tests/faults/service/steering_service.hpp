// The service of the tests of calls that are stopped: handlers that heed it, each in its way.
#pragma once

#include <string>

#include "bulkhead/bulkhead.hpp"

#include "faults/service/kinds.hpp"

namespace bulkhead::test {

enum class Heeding : std::uint8_t {
  polls,       // looks again and again whether it is to stop
  waits,       // sleeps at a condition variable with its token
  calls_back,  // sleeps until its token's callback has run
  throws,      // as polls, and throws
  never,       // goes on for ever
};

// Writes its process's id into the file `begun`, and goes on until it is asked to stop. Answers
// how it heard of it.
struct Heed {
  using Response = std::string;
  Heeding how = Heeding::polls;
  std::string begun = {};
  Bytes carried = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(how, begun, carried);
  }
};

// How much time its handler has, in milliseconds; -1: any.
struct AskDeadline {
  using Response = double;
  template <class Archive>
  void serialize(Archive&) {}
};

// Answers when `until` exists, whatever it is asked, with bytes of its own.
struct AnswerLate {
  using Response = Bytes;
  std::string begun, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until);
  }
};

struct SteeringService : Service<"steering", Heed, AskDeadline, AnswerLate> {};

void serve_steering_if_worker();

template <>
Pool<SteeringService> pool_of_threads<SteeringService>(const PoolOptions& options,
                                                       const ServeOptions& serve);

}  // namespace bulkhead::test
