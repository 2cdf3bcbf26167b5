// What a hostile worker does to the app: requests whose handlers attack from within.
#pragma once

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bulkhead::test {

enum class Mood : std::uint8_t { good, bad };

}  // namespace bulkhead::test

template <>
struct bulkhead::EnumRange<bulkhead::test::Mood> {
  static constexpr auto min = bulkhead::test::Mood::good, max = bulkhead::test::Mood::bad;
};

namespace bulkhead::test {

// ------------------------------------------------------------ forged values

enum class Forgery : std::uint8_t {
  none,
  huge_count,    // 2^40 elements
  bool_of_two,   // a bool that reads 2
  wrong_enum,    // past its range
  deep_nesting,  // of 100 000 objects within one another
  cut_short,
  too_long,
};

struct Chain {
  std::unique_ptr<Chain> next;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(next);
  }
};

// Reads as a plain value; its worker writes what `forgery` says.
struct Forged {
  Forgery forgery = Forgery::none;
  std::vector<std::uint32_t> numbers;
  bool flag = false;
  Mood mood = Mood::good;
  Chain chain;

  template <class Archive>
  void save(Archive& ar) const {
    const auto raw = [&](auto value) { ar(value); };
    raw(std::uint64_t{forgery == Forgery::huge_count ? std::uint64_t{1} << 40 : 0});
    if (forgery == Forgery::cut_short) return;
    raw(static_cast<std::uint8_t>(forgery == Forgery::bool_of_two ? 2 : 0));
    raw(static_cast<std::uint8_t>(forgery == Forgery::wrong_enum ? 9 : 0));
    const std::size_t depth = forgery == Forgery::deep_nesting ? 100'000 : 0;
    for (std::size_t i = 0; i < depth; ++i) raw(std::uint8_t{1});
    raw(std::uint8_t{0});
    if (forgery == Forgery::too_long) raw(std::uint64_t{7});
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(numbers, flag, mood, chain);
  }
};

struct Forge {
  using Response = Forged;
  Forgery forgery = Forgery::none;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(forgery);
  }
};

// ------------------------------------------------------------ forged messages

// A message in the worker's own ring that no worker writes.
enum class Message : std::uint8_t {
  second_answer,  // to its own call, which it has answered
  unknown_call,
  unknown_ticket,
  slot_out_of_range,
  other_request,
  of_kind_request,
  of_kind_leave,
  of_unknown_kind,
  ready_again,
  refused_late,
  shorter_than_announced,
  longer_than_announced,
  larger_than_any,
  without_head,
  with_empty_part,
  count,
};

// Sends it, and then runs until it is killed.
struct SendForged {
  using Response = void;
  Message message = Message::second_answer;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(message);
  }
};

// ------------------------------------------------------------ the segment and the doorbell

enum class Target : std::uint8_t {
  answers_end,     // how far the worker says that it has written
  requests_begin,  // how far it says that it has read
  frames,          // of its own ring
  slots,
  sleepers,    // the words that say who sleeps
  everything,  // all that it can write
  crash_note,  // how it crashed, though it has not
  count,
};

// Writes random words there, rings, and answers then, or never.
struct Scribble {
  using Response = void;
  Target target = Target::everything;
  std::uint64_t seed = 0;
  bool answers = true;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(target, seed, answers);
  }
};

// Writes random words everywhere, and again and again until it is killed or `until` is there.
struct KeepScribbling {
  using Response = void;
  std::uint64_t seed = 0;
  std::string until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(seed, until);
  }
};

// Closes every socket that it has, and goes on.
struct CloseDoorbell {
  using Response = void;
  template <class Archive>
  void serialize(Archive&) {}
};

// Rings as fast as it can until there is a file `until`.
struct FloodDoorbell {
  using Response = std::uint64_t;  // how often
  std::string begun, until;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(begun, until);
  }
};

}  // namespace bulkhead::test
