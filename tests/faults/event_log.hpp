// What a pool tells of itself, kept for tests.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "faults/calls.hpp"

namespace bulkhead::test {

class EventLog {
 public:
  std::function<void(const Event&)> callback() {
    return [this](const Event& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
    };
  }
  std::vector<Event> all() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::vector<EventKind> kinds(pid_t worker) const {
    std::vector<EventKind> kinds;
    for (const Event& event : all())
      if (event.pid == worker) kinds.push_back(event.kind);
    return kinds;
  }
  std::size_t count(EventKind kind) const {
    const auto events = all();
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(),
                                                  [&](auto& event) { return event.kind == kind; }));
  }
  // Waits for one of this kind; 0: about any worker.
  bool has(EventKind kind, pid_t worker = 0) const { return find(kind, worker).has_value(); }
  std::optional<Event> find(EventKind kind, pid_t worker = 0) const {
    std::optional<Event> found;
    static_cast<void>(wait_until([&] {
      for (const Event& event : all())
        if (event.kind == kind && (worker == 0 || event.pid == worker)) found = event;
      return found.has_value();
    }));
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace bulkhead::test
