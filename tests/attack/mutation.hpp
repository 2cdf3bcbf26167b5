// What a hostile worker changes, decided by a seed: one word of memory that it shares, or one thing
// that it sends. No I/O.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

namespace bulkhead::attack {

enum class Kind : std::uint8_t {
  control,     // a word at the front of something shared: positions, who sleeps, slots
  anywhere,    // any other word of it
  last_frame,  // one near the end of what it has written
  frame,       // a frame that it publishes, as no worker does
  bell,        // bytes in its doorbell
  packet,      // one for its buffers or channels, with descriptors or without
};
inline constexpr std::array<std::string_view, 6> kinds{
    "words of control", "words anywhere", "words of the last frame",
    "forged frames",    "doorbell",       "packets"};

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : dice_(seed) {}

  // Memory is changed most often.
  Kind next();
  // Near the word that there was, at the edge of what may be, or anything.
  std::uint64_t changed(std::uint64_t word);
  std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }

 private:
  std::mt19937_64 dice_;
};

}  // namespace bulkhead::attack
