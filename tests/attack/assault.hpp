// A pool of hostile workers, and the calls of an app that knows nothing of it. Each of them is to
// settle, with whatever: what such a worker says of its own calls cannot be checked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "attack/ledger.hpp"
#include "attack/service.hpp"

namespace bulkhead::attack {

// Requests and responses may be so large, and no allocation larger than four of them.
inline constexpr std::size_t max_message = 1 << 20;

class Assault {
 public:
  // `tally`: the file where its workers count their mutations.
  Assault(Ledger& ledger, std::uint64_t seed, bool harmless, const std::string& tally);
  ~Assault();
  Assault(const Assault&) = delete;
  Assault& operator=(const Assault&) = delete;

  // One attack, with calls and streams beside it.
  void round();

 private:
  Future<Load> carry(std::uint64_t number);
  void converse();
  template <class Response>
  void settle(Future<Response> call);

  Ledger& ledger_;
  std::uint64_t seed_;
  const bool harmless_;
  Pool<Hostile> pool_;
};

}  // namespace bulkhead::attack
