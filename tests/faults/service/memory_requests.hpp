// What a hostile worker does to take the memory away that it shares with its app: who touches a
// file's pages that are not there any more dies of SIGBUS.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bulkhead::test {

// Tries to shrink all such memory, and to punch holes into what it may not write: by names, and by
// the descriptors and mappings of itself, its siblings, its fork server and its app. The worker
// shares a buffer and a channel besides. Gives the ways that were open.
struct ShrinkMemory {
  using Response = std::vector<std::string>;
  Bytes buffer = {};
  Sender<std::uint64_t> channel = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(buffer, channel);
  }
};

// Sends numbers, and punches holes into all that it may write, until there is a file `until`.
struct PunchHoles {
  using Response = void;
  Sender<std::uint64_t> channel = {};
  std::string until = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(channel, until);
  }
};

}  // namespace bulkhead::test
