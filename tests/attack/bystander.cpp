#include "attack/bystander.hpp"

#include <algorithm>

namespace bulkhead::attack {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds pause{200};
constexpr std::size_t remembered = 1 << 20;

}  // namespace

Bystander::Bystander(Ledger& ledger) : ledger_(ledger), pool_({.workers = 1}) {
  taken_.reserve(remembered);
  thread_ = std::thread([this] { call_until_over(); });
}

Bystander::~Bystander() {
  over_ = true;
  thread_.join();
  if (pool_.stats().crashes > 0) ledger_.violation("a worker beside the attack has died");
}

void Bystander::call_until_over() {
  for (std::uint64_t number = 0; !over_; ++number) {
    const auto begin = Clock::now();
    try {
      if (!is_load_of(number, pool_.run(Carry{load_of(number, 64, {})}).get()))
        ledger_.violation("a call beside the attack got another's answer");
    } catch (const Error& error) {
      ledger_.violation(std::string("a call beside the attack failed: ") + error.what());
    }
    const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
    {
      const std::lock_guard lock(mutex_);
      if (taken_.size() < remembered) taken_.push_back(took.count());
    }
    std::this_thread::sleep_for(pause);
  }
}

Bystander::Times Bystander::times() {
  const std::lock_guard lock(mutex_);
  Times times{.calls = taken_.size()};
  if (taken_.empty()) return times;
  std::sort(taken_.begin(), taken_.end());
  times.p50 = taken_[(taken_.size() - 1) / 2];
  times.p99 = taken_[(taken_.size() - 1) * 99 / 100];
  taken_.clear();
  return times;
}

}  // namespace bulkhead::attack
