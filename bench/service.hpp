// What the benchmarks call.
#pragma once

#include <unistd.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdlib>
#include <string>
#include <utility>

#include "machine.hpp"
#include "subject.hpp"

namespace bulkhead::bench {

struct Echo {
  using Response = Payload;
  Payload payload{};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(payload);
  }
};

struct EchoText {
  using Response = std::string;
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
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

// Moves the worker to the n-th of its cores.
struct Pin {
  using Response = void;
  int nth = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(nth);
  }
};

struct WhoAnswers {
  using Response = pid_t;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Crash {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

struct Benched : Service<"bench", Echo, EchoText, EchoBytes, Pin, WhoAnswers, Crash> {};

inline void serve_if_worker() {
  bulkhead::serve_if_worker<Benched>([](const Echo& request) { return request.payload; },
                                     [](EchoText request) { return std::move(request.text); },
                                     [](EchoBytes request) { return std::move(request.bytes); },
                                     [](const Pin& request) { pin_to(request.nth); },
                                     [](const WhoAnswers&) { return ::getpid(); },
                                     [](const Crash&) { std::_Exit(3); });
}

}  // namespace bulkhead::bench
