// The service whose workers are killed. Each answer carries what was asked, in data that follows
// from the call's number; each execution is counted on the board.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>

#include "platform/fault.hpp"

namespace bulkhead::torture {

struct Receipt {
  std::uint64_t number = 0;
  pid_t pid = 0;
  std::string data = {};
  Bytes blob = {};
  template <class Archive>
  void save(Archive& ar) const {
    platform::fault_point("torture.packing");
    ar(number, pid, data, blob);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(number, pid, data, blob);
  }
};

struct Task {
  using Response = Receipt;
  std::uint64_t number = 0;  // of its mark on the board
  std::string data = {};
  Bytes blob = {};
  std::uint64_t answer_size = 0, answer_blob_size = 0;
  std::uint32_t takes_us = 0;
  bool throws = false;
  bool starts_helper = false;  // one that leaves its session and parent, and holds the output
  template <class Archive>
  void save(Archive& ar) const {
    ar(number, data, blob, answer_size, answer_blob_size, takes_us, throws, starts_helper);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(number, data, blob, answer_size, answer_blob_size, takes_us, throws, starts_helper);
    platform::fault_point("torture.unpacking");
  }
};

struct Retried : Task {
  static constexpr bool idempotent = true;
};

// Each item is sent back, until there are no more.
struct Stream {
  using Response = Receipt;
  std::uint64_t number = 0;
  Receiver<std::string> in = {};
  Sender<std::string> out = {};
  bool throws = false;  // instead of sending the first one back
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, in, out, throws);
  }
};

struct Torture : Service<"torture", Task, Retried, Stream> {};

void serve_if_worker();

}  // namespace bulkhead::torture
