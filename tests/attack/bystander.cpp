#include "attack/bystander.hpp"

#include <chrono>
#include <string>

namespace bulkhead::attack {

Bystander::~Bystander() {
  if (pool_.stats().crashes > 0) ledger_.violation("a worker beside the attack has died");
}

void Bystander::call(test::Times& times) {
  const std::uint64_t number = ++number_;
  const auto begin = std::chrono::steady_clock::now();
  try {
    if (!is_load_of(number, pool_.run(Carry{load_of(number, 64, {})}).get()))
      ledger_.violation("a call beside the attack got another's answer");
  } catch (const Error& error) {
    ledger_.violation(std::string("a call beside the attack failed: ") + error.what());
  }
  times.add(std::chrono::steady_clock::now() - begin);
}

}  // namespace bulkhead::attack
