// A service whose requests and responses carry bytes, and whose workers abuse them.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "faults/service/kinds.hpp"

namespace bulkhead::test {

struct EchoBytes {
  using Response = Bytes;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};

struct Several {
  std::vector<Bytes> list;
  std::optional<Bytes> maybe;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(list, maybe);
  }
};
struct EchoSeveral {
  using Response = Several;
  Several several;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(several);
  }
};

// Of a buffer that the worker makes, filled with `value`.
struct MakeBytes {
  using Response = Bytes;
  std::uint64_t size = 0;
  char value = 0;
  bool fill = true;     // else it is as it was made
  bool own = false;     // by Bytes::copy_of
  bool throws = false;  // when it has been made
  template <class Archive>
  void serialize(Archive& ar) {
    ar(size, value, fill, own, throws);
  }
};

// Keeps what it is given, besides what it had.
struct KeepBytes {
  using Response = void;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};
// What was kept first.
struct KeptBytes {
  using Response = Bytes;
  template <class Archive>
  void serialize(Archive&) {}
};

// What the worker has of memory without a name, and how often it met a page that was not there.
struct Holdings {
  std::uint64_t mappings = 0, descriptors = 0, faults = 0;
  pid_t pid = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(mappings, descriptors, faults, pid);
  }
};
struct AskHoldings {
  using Response = Holdings;
  template <class Archive>
  void serialize(Archive&) {}
};

// Dies with it, the first time that somebody makes the folder `once`, or every time without one.
struct DieWithBytes {
  using Response = Bytes;
  static constexpr bool idempotent = true;
  Bytes bytes;
  std::string once;
  bool making = false;  // and of one that it makes
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes, once, making);
  }
};

// Has it echoed by a worker of the worker's own.
struct NestBytes {
  using Response = Bytes;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};

enum class BadBytes : std::uint8_t {
  none,
  never_passed,     // a handle of nothing
  of_another_call,  // of bytes that the app gave, but not with this request
  too_many,         // more than the request carried
  pipe,             // no memory
  device,
  plain_file,
  unsealed,
  half_sealed,       // it may still shrink
  truncated,         // smaller than it says
  sparse,            // of which nothing is there
  more_than_passed,  // the handle is larger than the memory
  used_number,
  index_out_of_range,
  beyond_limit,
  of_unknown_kind,
  short_packet,
  long_packet,
  unknown_maker,
  count,
};

// Reads as Bytes; its worker writes a handle of its choice.
struct ForgedBytes {
  std::uint8_t maker = 0;
  std::uint64_t id = 0, size = 0;
  Bytes bytes = {};
  template <class Archive>
  void save(Archive& ar) const {
    ar(maker, id, size);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(bytes);
  }
};
struct ForgeBytes {
  using Response = ForgedBytes;
  BadBytes bad = BadBytes::none;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bad, bytes);
  }
};

// Large values that are no Bytes.
struct Large {
  std::string text = {};
  std::vector<float> numbers = {};
  std::vector<std::string> several = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(text, numbers, several);
  }
  bool operator==(const Large&) const = default;
};
struct EchoLarge {
  using Response = Large;
  static constexpr bool idempotent = true;
  Large large;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(large);
  }
};
// Takes every descriptor that it can get, and keeps them.
struct TakeDescriptors {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

enum class BadBlock : std::uint8_t {
  none,
  twice,         // the same memory for both strings
  given,         // what its request carried
  never_passed,  // a handle of nothing
  other_count,   // more values than the memory has bytes
  no_handle,
  overflowing,
  count,
};
// Reads as two strings; its worker writes what it likes.
struct ForgedBlocks {
  struct Block {
    std::uint64_t elements = 0;
    std::uint8_t maker = 0;
    std::uint64_t id = 0, size = 0;
  };
  Block one = {}, other = {};
  std::string text = {}, more = {};
  template <class Archive>
  void save(Archive& ar) const {
    for (const Block& block : {one, other}) {
      ar(block.elements);
      if (block.elements == 0) continue;
      ar(block.maker);
      if (block.maker != 0) ar(block.id, block.size);
    }
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(text, more);
  }
};
struct ForgeBlocks {
  using Response = ForgedBlocks;
  BadBlock bad = BadBlock::none;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bad, bytes);
  }
};

// Tries to write into what it was given, in every way. The number of ways that worked.
struct WriteInto {
  using Response = int;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bytes);
  }
};

struct BytesService : Service<"bytes", EchoBytes, EchoSeveral, MakeBytes, KeepBytes, KeptBytes,
                              AskHoldings, DieWithBytes, NestBytes, ForgeBytes, WriteInto,
                              EchoLarge, TakeDescriptors, ForgeBlocks> {};

void serve_bytes_if_worker();
Holdings holdings();  // of this process

template <>
Pool<BytesService> pool_of_threads<BytesService>(const PoolOptions& options,
                                                 const ServeOptions& serve);

}  // namespace bulkhead::test
