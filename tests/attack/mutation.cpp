#include "attack/mutation.hpp"

namespace bulkhead::attack {

namespace {

// Ends of ranges, sizes of rings and of frames, and the like.
constexpr std::array<std::uint64_t, 16> edges{0,
                                              1,
                                              63,
                                              64,
                                              65,
                                              (1U << 16) - 1,
                                              1U << 16,
                                              (1U << 18) - 64,
                                              1U << 18,
                                              (1U << 18) + 64,
                                              (1U << 20) + 1,
                                              0x7fff'ffff,
                                              0x8000'0000,
                                              0xffff'ffff,
                                              std::uint64_t{1} << 63,
                                              ~std::uint64_t{0}};

}  // namespace

Kind Mutator::next() {
  const std::uint64_t roll = below(32);
  if (roll < 12) return Kind::control;
  if (roll < 16) return Kind::anywhere;
  if (roll < 22) return Kind::last_frame;
  if (roll < 28) return Kind::frame;
  return roll < 30 ? Kind::bell : Kind::packet;
}

std::uint64_t Mutator::changed(std::uint64_t word) {
  const std::uint64_t low = 0xffff'ffff;
  switch (below(7)) {
    case 0:
      return word ^ std::uint64_t{1} << below(64);
    case 1:
      return word + 1 + below(128);
    case 2:
      return word - 1 - below(128);
    case 3:
      return edges[below(edges.size())];
    case 4:  // one half of it: two short words lie there as a rule
      return (word & ~low) | (edges[below(edges.size())] & low);
    case 5:
      return (word & low) | edges[below(edges.size())] << 32;
    default:
      return dice_();
  }
}

}  // namespace bulkhead::attack
