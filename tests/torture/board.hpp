// The memory that one pool's processes and the campaign share besides what the library shares: what
// is ordered, who was born, who died of what, and how often each call was executed. A file, so that
// no death changes it; its words are atomic, and written before what they tell of happens.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "torture/points.hpp"

namespace bulkhead::torture {

using Clock = std::chrono::steady_clock;  // the same for all processes

enum class Outcome : std::uint8_t { none, answered, threw, crashed, called_off, shut_down };

// One call. The worker writes the first two, the app the others.
struct Mark {
  std::atomic<std::uint32_t> executions;
  std::atomic<pid_t> executor;  // the last
  std::atomic<pid_t> blamed;    // who answered, or whose end the report told
  std::atomic<Outcome> outcome;
  std::atomic<bool> idempotent;
};

struct Born {
  std::atomic<pid_t> pid;  // last: the entry is there
  pid_t parent;
  std::uint64_t start_time;
  Victim what;
};

struct Death {
  std::atomic<pid_t> pid;  // last: the entry is there
  std::int64_t when;       // of Clock
  std::uint8_t point;
  Kind kind;
};

struct Shared {
  static constexpr std::size_t calls = 1 << 20, births = 4096, ends = 1024;
  std::array<std::atomic<Kind>, points.size()> orders;
  std::atomic<std::uint32_t> born_count, death_count, mark_count;
  std::array<Born, births> born;
  std::array<Death, ends> deaths;
  std::atomic<unsigned> threads;  // of each worker; written before there is one
  std::atomic<bool> met_unknown_point;
  std::array<char, 64> unknown_point;
  std::array<Mark, calls> marks;
};

class Board {
 public:
  static constexpr const char* variable = "BULKHEAD_TORTURE_BOARD";

  explicit Board(const std::filesystem::path& file);  // makes it
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  Shared& shared() const { return *shared_; }
  const std::string& path() const { return path_; }

  // Whoever comes to the point next ends so. Only one at a time for each point.
  void order(PointIndex point, Kind kind) const;
  bool taken(PointIndex point) const;
  // False when it was taken already.
  bool withdraw(PointIndex point) const;

  void note_death(pid_t pid, PointIndex point, Kind kind) const;
  const Death* death_of(pid_t pid) const;  // the last of this number
  bool was_killed(pid_t pid, Kind kind) const;
  const Born* birth_of(pid_t pid) const;  // the last of this number
  // The death that explains the end of `pid`: its own, or its fork server's.
  const Death* reason_of(pid_t pid) const;

  // In a process that a pool launched: takes part from now on. Nothing elsewhere.
  static void join_if_told();
  // In a worker.
  static Shared* joined();

 private:
  std::string path_;
  Shared* shared_ = nullptr;
};

}  // namespace bulkhead::torture
