// A pool in the same app that has nothing to do with the attack: its calls are answered rightly,
// and their times are taken.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "attack/ledger.hpp"
#include "attack/service.hpp"

namespace bulkhead::attack {

class Bystander {
 public:
  explicit Bystander(Ledger& ledger);
  ~Bystander();
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  // Of the calls since it began or since it was asked last; in microseconds.
  struct Times {
    double p50 = 0, p99 = 0;
    std::size_t calls = 0;
  };
  Times times();

 private:
  void call_until_over();

  Ledger& ledger_;
  Pool<Hostile> pool_;
  std::mutex mutex_;
  std::vector<double> taken_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace bulkhead::attack
