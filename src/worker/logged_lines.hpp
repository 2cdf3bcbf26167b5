// What a worker's logger has sent, until the reactor logs it: bounded, however fast it comes.
#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/line_rate.hpp"

namespace bulkhead::worker {

// Into the app's log, on one line. `call`: 0: of none.
void log_line(const std::string& worker, spdlog::level::level_enum level, std::uint64_t call,
              std::string_view text);

class LoggedLines {
 public:
  static constexpr std::size_t most = 256;

  struct Line {
    spdlog::level::level_enum level;
    std::uint64_t call;  // 0: of none
    std::string text;
    std::uint64_t lost = 0;  // lines before it, there and here
  };

  // By one thread at a time: whether the next one is kept. It and `lost` before it are counted.
  bool admits(std::uint64_t lost, LineRate::Time now) {
    lost_ += lost;
    const bool yes = has_room() && rate_.ask(now).yes;
    if (!yes) ++lost_;
    return yes;
  }
  // That one, by the same thread. True: the first that waits.
  bool put(Line line) {
    line.lost = std::exchange(lost_, 0);
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    return lines_.size() == 1;
  }
  // Any thread.
  std::vector<Line> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  bool has_room() {
    const std::lock_guard lock(mutex_);
    return lines_.size() < most;
  }

  LineRate rate_;
  std::uint64_t lost_ = 0;
  std::mutex mutex_;
  std::vector<Line> lines_;  // guarded by mutex_
};

}  // namespace bulkhead::worker
