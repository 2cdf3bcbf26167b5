// What the benchmarks call.
#pragma once

#include <array>
#include <bulkhead/bulkhead.hpp>
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

struct Crash {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Benched : Service<"bench", Echo, Pin, Crash> {};

inline void serve_if_worker() {
  bulkhead::serve_if_worker<Benched>([](const Echo& request) { return request.payload; },
                                     [](const Pin& request) { pin_to(request.nth); },
                                     [](const Crash&) { std::_Exit(3); });
}

}  // namespace bulkhead::bench
