// What the benchmarks call.
#pragma once

#include <array>
#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <cstdlib>

#include "machine.hpp"

namespace bulkhead::bench {

struct Echo {
  using Response = std::array<char, 64>;
  Response payload{};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(payload);
  }
};

// Moves the worker to the n-th of its cores.
struct Pin {
  using Response = void;
  int nth = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(nth);
  }
};

struct EchoBytes {
  using Response = Bytes;
  Bytes bytes;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(bytes);
  }
};

// Makes a buffer, and touches its ends.
struct MakeBytes {
  using Response = Bytes;
  std::uint64_t size = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(size);
  }
};

struct Crash {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Benched : Service<"bench", Echo, Pin, Crash, EchoBytes, MakeBytes> {};

inline Bytes echo_bytes(const EchoBytes& request) {
  const auto bytes = request.bytes.span();
  return bytes.front() == bytes.back() ? request.bytes : Bytes();
}

inline Bytes make_bytes(const MakeBytes& request, Context& context) {
  MutableBytes made = context.make_bytes(request.size);
  made.span().front() = made.span().back() = std::byte{2};
  return made;
}

inline void serve_if_worker() {
  bulkhead::serve_if_worker<Benched>([](const Echo& request) { return request.payload; },
                                     [](const Pin& request) { pin_to(request.nth); },
                                     [](const Crash&) { std::_Exit(3); }, echo_bytes, make_bytes);
}

}  // namespace bulkhead::bench
