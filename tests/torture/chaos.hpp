// Carries out the orders of one round on the processes of its pool.
#pragma once

#include <functional>
#include <random>

#include "platform/pidfd.hpp"
#include "torture/board.hpp"
#include "torture/findings.hpp"
#include "torture/plan.hpp"

namespace bulkhead::torture {

// As a process that runs: not as a zombie, and not when another has its number by now.
bool lives(const Born& born);

class Chaos {
 public:
  Chaos(const Round& round, const Board& board, Findings& findings)
      : round_(round), board_(board), findings_(findings), dice_(round.seed) {}

  // Returns when the death has happened. `is_given`: it is on the board already. `whole` tells
  // whether all workers of the pool are there.
  void carry_out(const Order& order, bool is_given, const std::function<bool()>& whole);

  // All workers live, and so do their fork servers: what the pool itself says may be old.
  bool looks_whole() const;
  // Whether a process of the pool is there, if only as a zombie of ours.
  bool anything_lives() const;

 private:
  bool await(const std::function<bool()>& condition, const std::string& what);
  bool await_calls(std::uint32_t count);
  bool kill_one(Victim victim, Kind kind);
  void trigger(Victim victim);

  const Round& round_;
  const Board& board_;
  Findings& findings_;
  std::mt19937_64 dice_;
};

}  // namespace bulkhead::torture
