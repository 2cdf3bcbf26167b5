// What the campaign does, all of it decided by the seed: which deaths, in which pools, in which
// order. No process and no clock; what chance is left lies in the moments.
#pragma once

#include <cstdint>
#include <vector>

#include "torture/points.hpp"

namespace bulkhead::torture {

struct Order {
  PointIndex point = random_worker;
  Kind kind = Kind::kill;
  std::uint32_t calls_before = 0;  // that are made before it is given
  bool once_whole = false;         // not before all workers of the pool are there
};

// The life of one pool.
struct Round {
  std::uint64_t number = 0;
  std::uint64_t seed = 0;  // of its calls
  std::size_t workers = 1;
  std::size_t spares = 0;
  unsigned threads = 1;            // of each worker
  unsigned reloaders = 0;          // threads that reload it all the time
  std::size_t recycled_after = 0;  // requests; 0: never
  Way way = Way::fork;
  std::vector<Order> orders;
  bool begins_with_first = false;  // the first order is there before the pool
  enum class End : std::uint8_t { shutdown, destruction } end = End::shutdown;

  // A reload, and the replacing of workers that are worn, start new ones beside the old, each one
  // at a time.
  bool is_whole(std::size_t living) const {
    const std::size_t all = workers + spares;
    return all <= living && living <= all + (reloaders > 0) + (recycled_after > 0);
  }
};

struct Totals {
  std::uint64_t workers_killed = 1000;
  std::uint64_t fork_servers_killed = 200;
  std::uint64_t apps_killed = 100;
};

std::vector<Round> make_plan(std::uint64_t seed, const Totals& totals);
// One more round for what a plan left missing: deaths that make others happen are only reckoned.
Round make_extra_round(std::uint64_t seed, std::uint64_t number, std::size_t workers_missing,
                       std::size_t fork_servers_missing);

}  // namespace bulkhead::torture
