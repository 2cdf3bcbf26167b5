// What the app and its fork server say to each other over the control socket, a packet each.
// Both sides are trusted: workers close the socket before they run anything of the user's.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "bulkhead/bytes.hpp"
#include "platform/fd.hpp"
#include "platform/pidfd.hpp"
#include "worker/confinement.hpp"

namespace bulkhead {

template <class Archive>
void serialize(Archive& ar, Containment::Measure& measure) {
  ar(measure.in_force, measure.how);
}

template <class Archive>
void serialize(Archive& ar, Containment& all) {
  ar(all.no_new_privs, all.core, all.descriptors, all.session, all.tree, all.memory, all.cpu,
     all.open_files, all.file_size, all.processes);
}

namespace worker {

using WorkerNumber = std::uint32_t;  // from 1, never used twice by one fork server

// --- orders, from the app

struct Confine {  // all workers; the first order, which it begins to serve by
  Confinement confinement;
  bool best_effort = false;  // what cannot be had is left out; else it refuses
  template <class Archive>
  void serialize(Archive& ar) {
    ar(confinement, best_effort);
  }
};
struct StartWorker {  // with five descriptors: doorbell (2), standard output and error, bytes
  WorkerNumber number = 0;
  std::string segment;
  std::uint64_t max_message = 0;
  BytesLimits bytes = {};
  Confinement confinement = {};  // what it sees to itself: for its fork server to say
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, segment, max_message, bytes.shared_from, bytes.alive, bytes.kept, confinement);
  }
};
struct SignalWorker {  // it and all that it started; SIGKILL ends the tree for certain
  WorkerNumber number = 0;
  std::int32_t signal = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, signal);
  }
};
using Order = std::variant<StartWorker, SignalWorker, Confine>;

// --- notices, to the app

struct Serving {     // it starts workers
  std::string roof;  // the cgroup directory that holds its workers; empty: there is none
  Containment containment = {};
  template <class Archive>
  void serialize(Archive& ar) {
    ar(roof, containment);
  }
};
struct Refused {  // it will not serve, and ends
  std::string why;
  bool not_enforced = false;  // because of what it was to confine its workers to
  template <class Archive>
  void serialize(Archive& ar) {
    ar(why, not_enforced);
  }
};
struct Started {  // with the worker's pidfd
  WorkerNumber number = 0;
  std::int32_t pid = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, pid);
  }
};
struct NotStarted {
  WorkerNumber number = 0;
  std::int32_t error = 0;
  std::string why;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number, error, why);
  }
};
struct Ended {
  WorkerNumber number = 0;
  platform::Ending ending;

  using Words = std::array<std::int64_t, sizeof(platform::Ending) / sizeof(std::int64_t)>;
  static_assert(std::is_trivially_copyable_v<platform::Ending>);
  template <class Archive>
  void save(Archive& ar) const {
    ar(number, std::bit_cast<Words>(ending));
  }
  template <class Archive>
  void load(Archive& ar) {
    Words words{};
    ar(number, words);
    ending = std::bit_cast<platform::Ending>(words);
  }
};
using Notice = std::variant<Serving, Refused, Started, NotStarted, Ended>;

constexpr std::size_t max_control_packet = std::size_t{128} * 1024;
constexpr std::size_t max_control_fds = 5;

std::vector<std::byte> pack(const Order& order);
std::vector<std::byte> pack(const Notice& notice);
// Throw std::runtime_error for what is none.
Order unpack_order(std::span<const std::byte> packet);
Notice unpack_notice(std::span<const std::byte> packet);

}  // namespace worker
}  // namespace bulkhead
