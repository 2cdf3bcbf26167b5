// What a crew has to be woken for, until its end. Only what the pool's options ask for is there.
#pragma once

#include <chrono>
#include <optional>

#include "reactor/timer.hpp"

namespace bulkhead::pool {

struct Timers {
  explicit Timers(reactor::Reactor& reactor)
      : restart(reactor), ending(reactor), rounds(reactor), deadline(reactor) {}

  reactor::Timer restart, ending, rounds, deadline;
  std::optional<reactor::Timer> growth, idle;            // where its size may change
  std::optional<reactor::Timer> age, memory, recycling;  // where workers wear out
  std::optional<reactor::Timer> beat;

  void stop() {
    for (auto* const timer : {&restart, &ending, &rounds, &deadline}) timer->stop();
    for (auto* const timer : {&growth, &idle, &age, &memory, &recycling, &beat})
      if (*timer) (*timer)->stop();
  }
};

}  // namespace bulkhead::pool
