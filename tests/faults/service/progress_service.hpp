// The service of the tests of progress values: handlers that tell them, each in its way.
#pragma once

#include <string>
#include <utility>

#include "bulkhead/bulkhead.hpp"

#include "faults/service/kinds.hpp"

namespace bulkhead::test {

// Tells 1 to `upto`. Then there is the file `told`, unless it is empty, and the handler goes on
// until there is `until`. Answers `upto`.
struct Count {
  using Response = int;
  using Progress = int;
  int upto = 0;
  std::string told = {}, until = {};
  bool throws = false;  // instead of an answer
  template <class Archive>
  void serialize(Archive& ar) {
    ar(upto, told, until, throws);
  }
};

// The same with values of `size` bytes that begin with their number, as Bytes.
struct CountLarge {
  using Response = int;
  using Progress = std::pair<int, Bytes>;
  int upto = 0;
  std::size_t size = 0;
  std::string told = {}, until = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(upto, size, told, until);
  }
};

// Tells 1, 2, … until it is asked to stop, or there is the file `until`.
struct CountOn {
  using Response = int;
  using Progress = int;
  std::string until = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(until);
  }
};

// Tells (attempt, 1) and (attempt, 2), and takes its worker down in all attempts but the last.
struct Attempt {
  using Response = int;
  using Progress = std::pair<int, int>;
  static constexpr bool idempotent = true;
  std::string folder;
  int attempts = 1;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(folder, attempts);
  }
};

// Tells what is none of its values.
struct TellText {
  using Response = void;
  using Progress = double;
  template <class Archive>
  void serialize(Archive&) {}
};

// Has no values, and tells one.
struct TellAnything {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

enum class ForgedProgress : std::uint8_t {
  cut_short,
  too_long,
  unknown_call,
  unknown_ticket,
  other_request,
  slot_out_of_range,
  larger_than_any,
  unasked,  // where it is run without a function
  count,
};

// Sends such a value behind the library's back, and then runs until it is killed.
struct ForgeProgress {
  using Response = void;
  using Progress = std::uint64_t;
  ForgedProgress how = ForgedProgress::cut_short;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(how);
  }
};

struct ProgressService : Service<"progress", Count, CountLarge, CountOn, Attempt, TellText,
                                 TellAnything, ForgeProgress> {};

void serve_progress_if_worker();

template <>
Pool<ProgressService> pool_of_threads<ProgressService>(const PoolOptions& options,
                                                       const ServeOptions& serve);

}  // namespace bulkhead::test
