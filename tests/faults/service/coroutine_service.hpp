// The service of the tests of coroutine handlers.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>

#include "faults/service/kinds.hpp"

namespace bulkhead::test {

// Waits until so many of them are in its process; gives that process.
struct Meet {
  using Response = pid_t;
  unsigned count = 1;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(count);
  }
};

// Writes its process's id into `begun`, and waits until there is a file `until`. Gives its text.
struct CoBlock {
  using Response = std::string;
  std::string begun, until, text = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until, text);
  }
};
// The same, and may run twice.
struct CoBlockAgain : CoBlock {
  static constexpr bool idempotent = true;
};

struct CoAdd {
  using Response = int;
  int a = 0, b = 0;
  bool waits = false;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a, b, waits);
  }
};

struct CoNothing {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

enum class Moment : std::uint8_t { at_once, later };

struct CoThrow {
  using Response = int;
  Moment when = Moment::at_once;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(when);
  }
};

struct CoDie {
  using Response = void;
  Moment when = Moment::at_once;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(when);
  }
};

enum class CoHeeding : std::uint8_t {
  awaits,  // awaits a timer, which ends when it is to stop
  polls,   // looks again and again, and bears no cancellation
  token,   // the same, by its token
  never,   // goes on
};

// Writes its process's id into `begun`, goes on until it is asked to stop, and writes how it heard
// of it into `heard`.
struct CoHeed {
  using Response = std::string;
  CoHeeding how = CoHeeding::awaits;
  std::string begun, heard;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(how, begun, heard);
  }
};

// How much time it has, in milliseconds, after it has waited a little; -1: any.
struct CoAskDeadline {
  using Response = double;
  template <class Archive>
  void serialize(Archive&) {}
};

// Tells 1 to `upto`, and waits in between.
struct CoCount {
  using Response = int;
  using Progress = int;
  int upto = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(upto);
  }
};

// Gives the bytes, each one more, after it has waited, and text of the same size.
struct CoBytes {
  using Response = std::pair<Bytes, std::string>;
  Bytes bytes;
  std::string text;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes, text);
  }
};

// The text, through a socket of its own.
struct ThroughSocket {
  using Response = std::string;
  std::string text;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text);
  }
};

// Keeps a thread until another of them keeps one, too; by a plain handler, or by a coroutine that
// does what it should not. Gives its process.
struct KeepThread {
  using Response = pid_t;
  template <class Archive>
  void serialize(Archive&) {}
};
struct CoKeepThread {
  using Response = pid_t;
  template <class Archive>
  void serialize(Archive&) {}
};

struct PlainAdd {
  using Response = int;
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(a, b);
  }
};
// Plain: writes its process's id into `begun`, and keeps its thread until there is a file `until`.
struct PlainBlock {
  using Response = pid_t;
  std::string begun, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until);
  }
};

struct CoroutineService : Service<"coroutines", Meet, CoBlock, CoBlockAgain, CoAdd, CoNothing,
                                  CoThrow, CoDie, CoHeed, CoAskDeadline, CoCount, CoBytes,
                                  ThroughSocket, KeepThread, CoKeepThread, PlainAdd, PlainBlock> {};

// TEST_THREADS and TEST_CONCURRENCY say how.
void serve_coroutines_if_worker();

template <>
Pool<CoroutineService> pool_of_threads<CoroutineService>(const PoolOptions& options,
                                                         const ServeOptions& serve);

}  // namespace bulkhead::test
