// How many mutations of each kind were made: a file with a byte for each, which workers that have
// lost their minds can hardly damage.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "attack/mutation.hpp"
#include "platform/fd.hpp"

namespace bulkhead::attack {

class Tally {
 public:
  static constexpr const char* variable = "ATTACK_TALLY";

  // Makes the file if there is none.
  explicit Tally(const std::string& path);

  void note(Kind kind) const;
  std::uint64_t sum() const;
  std::array<std::uint64_t, kinds.size()> each() const;

 private:
  platform::Fd file_;
};

}  // namespace bulkhead::attack
