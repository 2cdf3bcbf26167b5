// Threads that call a pool, check each answer and each error, and note on the board what became of
// each call.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/conversation.hpp"
#include "torture/board.hpp"
#include "torture/findings.hpp"
#include "torture/service.hpp"

namespace bulkhead::torture {

using TorturePool = Pool<Torture>;

class Callers {
 public:
  struct Place {
    std::uint64_t round;
    const Board& board;
    Findings& findings;
    unsigned threads = 1;               // of each worker
    std::chrono::microseconds pause{};  // of each thread after each call
    // Bytes of some requests and answers: in parts through the ring, and beside their message.
    std::size_t large = 200'000, huge = 1 << 20;
    bool calls_off = true;  // some of its calls
  };
  // One of the threads waits for each call by itself, the others make many at once; some of the
  // calls are streams, some are called off.
  Callers(TorturePool& pool, const Place& place, std::uint64_t seed);
  ~Callers();
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  // No more calls from when this returns on. Those that are open go on.
  void stop_calling();
  // Returns when all calls have settled. The pool has ended, or goes on without harm.
  void finish();

  std::uint64_t made() const { return made_; }
  std::uint64_t failed() const { return failed_; }

 private:
  struct Open {
    std::uint64_t number;
    std::size_t answer_size = 0, answer_blob_size = 0;
    bool throws = false;
    bool idempotent = false;
    bool called_off = false;  // or has a deadline
    bool cut = false;         // its stream was
    Future<Receipt> future = {};
  };
  using Dice = std::mt19937_64;

  void call_until_stopped(std::uint64_t seed, std::size_t window);
  // False once no more are to be made.
  bool make_call(Dice& dice, std::deque<Open>& open);
  Open begin_task(std::uint64_t number, Dice& dice);
  Open begin_stream(std::uint64_t number, Dice& dice,
                    std::optional<test::Conversation>& conversation);
  RunOptions some_options(Open& open, Dice& dice) const;
  void take(Open open);
  void answered(const Open& open, const Receipt& receipt);
  void failed(const Open& open, const Error& error, Clock::time_point since);
  void crashed(const Open& open, const Error& error, Clock::time_point since);
  void check_status(const CrashReport& report);
  void check_running(const Open& open, const Error& error);
  void settled(const Open& open, Outcome outcome, pid_t blamed);
  void wrong(const std::string& what);

  TorturePool& pool_;
  const Place place_;
  std::shared_mutex calling_;  // shared by who makes a call
  std::stop_source stop_;
  std::atomic<std::uint64_t> made_ = 0, failed_ = 0;
  std::vector<std::thread> threads_;
};

// What the executions on the board must be, once nothing of the pool runs any more.
void check_executions(const Board& board, std::uint64_t round, Findings& findings);

}  // namespace bulkhead::torture
