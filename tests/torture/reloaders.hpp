// Threads that reload a pool, again and again. A reload may fail when one of its processes was
// ended, or with the pool; it always returns, and what it says is true.
#pragma once

#include <atomic>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "torture/board.hpp"
#include "torture/findings.hpp"
#include "torture/plan.hpp"
#include "torture/service.hpp"

namespace bulkhead::torture {

class Reloaders {
 public:
  Reloaders(Pool<Torture>& pool, const Round& round, const Board& board, Findings& findings);
  ~Reloaders() { finish(); }
  Reloaders(const Reloaders&) = delete;
  Reloaders& operator=(const Reloaders&) = delete;

  // The pool is about to end, and the last reloads with it.
  void begin_to_finish() { finishing_.request_stop(); }
  // Returns when the last reload has.
  void finish();

 private:
  void reload_until_finished(std::uint64_t seed);
  void reload();
  void failed(const Error& error);

  Pool<Torture>& pool_;
  const Round& round_;
  const Board& board_;
  Findings& findings_;
  std::stop_source finishing_;
  std::atomic<std::size_t> running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace bulkhead::torture
