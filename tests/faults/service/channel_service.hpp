// A service whose requests and responses carry ends of channels.
#pragma once

#include <sys/types.h>

#include <bulkhead/bulkhead.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "faults/service/kinds.hpp"

namespace bulkhead::test {

struct Item {
  std::uint64_t number = 0;
  std::string text = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, text);
  }
};

enum class After : std::uint8_t { returns, throws, dies, waits };

// Sends `count` items from 0 on, each with a text of `size` bytes, and tells by `sent` how many
// times send() has returned.
struct Produce {
  using Response = pid_t;
  Sender<Item> out = {};
  std::uint64_t count = 0, size = 0;
  After after = After::returns;
  Sender<std::uint64_t> sent = {};
  bool async = false;
  bool heeds = false;  // gives up when it is to stop
  template <class Archive>
  void serialize(Archive& ar) {
    ar(out, count, size, after, sent, async, heeds);
  }
};

struct Summary {
  std::uint64_t count = 0, sum = 0, bytes = 0;
  std::string error = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(count, sum, bytes, error);
  }
};
// Takes items until the end, or `most` of them.
struct Consume {
  using Response = Summary;
  Receiver<Item> in = {};
  std::uint64_t most = ~std::uint64_t{};
  After after = After::returns;
  std::string begun = {};  // a file that it makes first
  bool async = false;
  bool heeds = false;  // gives up when it is to stop
  template <class Archive>
  void serialize(Archive& ar) {
    ar(in, most, after, begun, async, heeds);
  }
};

// Answers each question with itself, twice.
struct Converse {
  using Response = std::uint64_t;
  Receiver<std::string> questions = {};
  Sender<std::string> answers = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(questions, answers);
  }
};

// Ends within other things: adds up what comes through all of them.
struct Ends {
  std::vector<Receiver<std::uint64_t>> in = {};
  std::optional<Sender<std::uint64_t>> out = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(in, out);
  }
};
struct AddUp {
  using Response = void;
  std::vector<Ends> ends = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(ends);
  }
};

// A channel for each, through which a thread of the worker sends 0, 1, ... `items` - 1.
struct OpenSources {
  using Response = std::vector<Receiver<std::uint64_t>>;
  std::uint64_t count = 0, items = 0;
  bool too_large = false;  // answer with more than can be
  template <class Archive>
  void serialize(Archive& ar) {
    ar(count, items, too_large);
  }
};
// A channel whose items a thread of the worker sends back, doubled.
struct Doubler {
  Sender<std::uint64_t> in = {};
  Receiver<std::uint64_t> out = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(in, out);
  }
};
struct OpenDoubler {
  using Response = Doubler;
  template <class Archive>
  void serialize(Archive&) {}
};

// Answers with what it was given.
struct PassBack {
  using Response = Ends;
  Ends ends = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(ends);
  }
};

// Aborts as it is unpacked, by whoever is the first to make the folder.
struct DieFirst {
  std::string folder = {};
  template <class Archive>
  void save(Archive& ar) const {
    ar(folder);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(folder);
    die_if_first(folder);
  }
  static void die_if_first(const std::string& folder);
};
// Dies before its ends have arrived, or after.
struct ConsumeAtLast {
  using Response = Summary;
  static constexpr bool idempotent = true;
  DieFirst before = {};
  Receiver<Item> in = {};
  DieFirst after = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(before, in, after);
  }
};

enum class BadChannel : std::uint8_t {
  none,
  head_ahead,   // it has read what was not written
  taken_ahead,  // it has taken what was not sent
  taken_back,
  tail_ahead,
  tail_unaligned,
  frame_without_mark,
  frame_too_large,
  empty_parts,
  too_much,         // an item that never ends
  no_item,          // bytes that are no Item
  left_in_an_item,  // closed in the middle of one
  left_somehow,     // a word that says nothing
  everything,       // all words are nonsense
  closed_bell,
  count,
};
// Does so to the channel's memory; and then sleeps.
struct ForgeChannel {
  using Response = void;
  BadChannel bad = BadChannel::none;
  Sender<Item> out = {};
  Receiver<Item> in = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(bad, out, in);
  }
};

struct ChannelService : Service<"channels", Produce, Consume, Converse, AddUp, OpenSources,
                                OpenDoubler, PassBack, ConsumeAtLast, ForgeChannel> {};

void serve_channels_if_worker();

template <>
Pool<ChannelService> pool_of_threads<ChannelService>(const PoolOptions& options,
                                                     const ServeOptions& serve);

}  // namespace bulkhead::test
