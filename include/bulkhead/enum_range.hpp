/// @file
/// Which values an enum has, for those that are sent.
#pragma once

namespace bulkhead {

/// Specialise it to have every value of an enum checked when it is sent and when it arrives:
///
///     template <> struct bulkhead::EnumRange<Colour> {
///       static constexpr Colour min = Colour::red, max = Colour::blue;
///     };
///
/// A value outside fails the call with errc::codec_failed when it is to be sent by the app, with
/// errc::handler_failed when it is met in the worker. A worker that sends one is ended
/// (Cause::protocol_violation). Without a specialisation, an enum may arrive as any value of its
/// underlying type.
template <class E>
struct EnumRange;

}  // namespace bulkhead
