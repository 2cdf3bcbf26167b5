#pragma once

namespace bulkhead {

// Specialise it to have every value of an enum checked when it is sent and when it arrives:
//
//   template <> struct bulkhead::EnumRange<Colour> {
//     static constexpr Colour min = Colour::red, max = Colour::blue;
//   };
//
// Without it, an enum may arrive as any value of its underlying type.
template <class E>
struct EnumRange;

}  // namespace bulkhead
