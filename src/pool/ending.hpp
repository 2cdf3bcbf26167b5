// How a pool ends, as rules: what happened and the time go in, what must be done comes out.
// No I/O, no thread, no clock.
//
//   open ─▶ draining ─▶ leaving ───────────────────────────▶ closing ─▶ ended
//              │           └─ grace over ─▶ terminating          ▲
//              └─ grace over ──────────────▶    │ 1 s            │
//                                            killing ────────────┤
//                                               └─ 5 s: given up ┘
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace bulkhead::pool {

class Ending {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds terminate_patience{1};  // between SIGTERM and SIGKILL
  static constexpr std::chrono::seconds kill_patience{5};       // then the kernel does not let go

  enum class Stage : std::uint8_t {
    open,         // takes calls
    draining,     // takes no more, and waits for those that it has
    leaving,      // all calls are settled, the workers were asked to leave
    terminating,  // grace is over: calls have failed, the process trees were sent SIGTERM
    killing,      // they were sent SIGKILL
    closing,      // no worker is left, the fork server is ending
    ended,
  };
  enum class Act : std::uint8_t {
    nothing,
    ask_to_leave,        // every worker
    fail_and_terminate,  // every call that is left; every worker's tree
    fail_and_kill,       // the same at once
    kill,                // every worker's tree
    give_up,             // on the workers that are left, then close
    close,               // the fork server
    done,
  };
  struct Step {
    Act act = Act::nothing;
    std::optional<Time> wake_at = {};  // when to call time_is_up()
  };

  Stage stage() const { return stage_; }
  bool begun() const { return stage_ != Stage::open; }

  // `calls`, `workers`: whether there are any left. What follows from them is found by look().
  Step shut_down(Time now, std::chrono::milliseconds grace);
  Step kill_now(Time now);
  Step look(bool calls, bool workers, bool fork_server);
  Step time_is_up(Time now);

 private:
  Step start_killing(Time now, Act act);

  Stage stage_ = Stage::open;
};

}  // namespace bulkhead::pool
