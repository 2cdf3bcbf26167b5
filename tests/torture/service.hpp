// The service whose workers are killed. Each answer carries what was asked, in data that follows
// from the call's number; each execution is counted on the board.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>

#include "platform/fault.hpp"

namespace bulkhead::torture {

// What belongs to call `number`: any other has other bytes.
std::string data_of(std::uint64_t number, std::size_t size);

struct Receipt {
  std::uint64_t number = 0;
  pid_t pid = 0;
  std::string data = {};
  template <class Archive>
  void save(Archive& ar) const {
    platform::fault_point("torture.packing");
    ar(number, pid, data);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(number, pid, data);
  }
};

struct Task {
  using Response = Receipt;
  std::uint64_t number = 0;  // of its mark on the board
  std::string data = {};
  std::uint64_t answer_size = 0;
  std::uint32_t takes_us = 0;
  bool throws = false;
  bool starts_helper = false;  // one that leaves its session and parent, and holds the output
  template <class Archive>
  void save(Archive& ar) const {
    ar(number, data, answer_size, takes_us, throws, starts_helper);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(number, data, answer_size, takes_us, throws, starts_helper);
    platform::fault_point("torture.unpacking");
  }
};

struct Retried : Task {
  static constexpr bool idempotent = true;
};

struct Torture : Service<"torture", Task, Retried> {};

void serve_if_worker();

}  // namespace bulkhead::torture
