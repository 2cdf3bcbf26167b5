// The steps of a script for the target `ring`.
#pragma once

#include <cstdint>

namespace bulkhead::fuzz {

enum class Step : std::uint8_t {
  read,
  write,          // size u16: a whole frame, by the rules; one of odd size continues
  scribble,       // position u16, count u8, bytes
  move_tail,      // by i16
  set_tail,       // u64
  set_head,       // u64
  reader_sleeps,  // u32
  arm,
};

}  // namespace bulkhead::fuzz
