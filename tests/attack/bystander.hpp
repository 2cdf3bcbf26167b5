// A pool in the same app that has nothing to do with the attack: its calls are answered rightly,
// and their times are taken.
#pragma once

#include <atomic>
#include <cstdint>

#include "attack/service.hpp"
#include "support/ledger.hpp"
#include "support/times.hpp"

namespace bulkhead::attack {

// Thread safe.
class Bystander {
 public:
  explicit Bystander(test::Ledger& ledger) : ledger_(ledger), pool_({.workers = 1}) {}
  ~Bystander();
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  void call(test::Times& times);

 private:
  test::Ledger& ledger_;
  Pool<Hostile> pool_;
  std::atomic<std::uint64_t> number_ = 0;
};

}  // namespace bulkhead::attack
