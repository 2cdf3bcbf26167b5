// A pool of hostile workers, and the calls of an app that knows nothing of it. Each of them is to
// settle, with whatever: what such a worker says of its own calls cannot be checked.
#pragma once

#include <cstdint>
#include <string>

#include "attack/bystander.hpp"
#include "attack/service.hpp"

namespace bulkhead::attack {

// Requests and responses may be so large, and no allocation larger than four of them.
inline constexpr std::size_t max_message = 1 << 20;

class Assault {
 public:
  struct Place {
    test::Ledger& ledger;
    Bystander& bystander;  // called after each of the calls
    test::Times& beside;   // what these take
    std::string tally;     // the file where workers count their mutations
    bool harmless = false;
  };
  Assault(const Place& place, std::uint64_t seed);
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
  void count(const std::string& what, std::uint64_t times = 1);

  const Place place_;
  std::uint64_t seed_;
  Pool<Hostile> pool_;
};

}  // namespace bulkhead::attack
