// The service of hostile workers: one thread of them attacks, the other answers meanwhile.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bulkhead::attack {

// Values of several kinds, to be sent there and back.
struct Load {
  std::uint64_t number = 0;
  std::string text = {};
  std::vector<float> numbers = {};
  Bytes blob = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, text, numbers, blob);
  }
};
Load load_of(std::uint64_t number, std::size_t size, MutableBytes blob);
bool is_load_of(std::uint64_t number, const Load& load);

struct Carry {
  using Response = Load;
  Load load = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(load);
  }
};

// Each item is sent back, until there are no more.
struct Stream {
  using Response = void;
  Receiver<std::string> in = {};
  Sender<std::string> out = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(in, out);
  }
};

// So many mutations, each seen by the app before the next, unless the worker is ended before. If
// they are harmless, nothing is changed, and the worker kills itself at last.
struct Attack {
  using Response = void;
  std::uint64_t seed = 0;
  std::uint32_t mutations = 0;
  bool harmless = false;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(seed, mutations, harmless);
  }
};

struct Hostile : Service<"hostile", Carry, Stream, Attack> {};

void serve_if_worker();

}  // namespace bulkhead::attack
