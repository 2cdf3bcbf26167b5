// The floor under calls that find both sides asleep: a process that sleeps until it is woken, and
// wakes its caller, who sleeps until then. Nothing spins. From one thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "machine.hpp"
#include "samples.hpp"

namespace bulkhead::bench {

enum class WakeUp { socketpair, eventfd, futex };

// When somebody was there, between two wake-ups. The clock is the same in all processes.
struct Visit {
  Clock::time_point began = {}, ended = {};
};
// Is busy for so long.
Visit stay_busy(std::chrono::nanoseconds time);

class Sleeper {
 public:
  // `core`: where it stays, if anywhere; as pin_to().
  explicit Sleeper(WakeUp by, std::optional<int> core = {});
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Wakes it, and sleeps until it has been busy for so long.
  Visit call(std::chrono::nanoseconds busy = {});

 private:
  struct Shared;
  class Bells;
  void serve();

  Shared* const shared_;
  const std::unique_ptr<Bells> bells_;
  const ForkedChild child_;
};

}  // namespace bulkhead::bench
