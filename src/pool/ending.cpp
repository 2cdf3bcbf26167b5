#include "pool/ending.hpp"

#include <algorithm>

namespace bulkhead::pool {

using Step = Ending::Step;

Step Ending::shut_down(Time now, std::chrono::milliseconds grace) {
  if (begun()) return {};
  stage_ = Stage::draining;
  // A grace beyond the clock's range means for ever, a negative one none.
  if (grace >= std::chrono::duration_cast<std::chrono::milliseconds>(Time::max() - now)) return {};
  return {.wake_at = now + std::max(grace, std::chrono::milliseconds::zero())};
}

Step Ending::start_killing(Time now, Act act) {
  stage_ = Stage::killing;
  return {.act = act, .wake_at = now + kill_patience};
}

Step Ending::kill_now(Time now) {
  if (stage_ >= Stage::killing) return {};
  return start_killing(now, Act::fail_and_kill);
}

Step Ending::look(bool calls, bool workers, bool fork_server) {
  if (stage_ == Stage::draining && !calls) {
    stage_ = Stage::leaving;
    if (workers) return {.act = Act::ask_to_leave};
  }
  const bool waits_for_workers =
      stage_ == Stage::leaving || stage_ == Stage::terminating || stage_ == Stage::killing;
  if (waits_for_workers && !workers) {
    stage_ = Stage::closing;
    if (fork_server) return {.act = Act::close};
  }
  if (stage_ == Stage::closing && !fork_server) {
    stage_ = Stage::ended;
    return {.act = Act::done};
  }
  return {};
}

Step Ending::time_is_up(Time now) {
  switch (stage_) {
    case Stage::draining:
    case Stage::leaving:
      stage_ = Stage::terminating;
      return {.act = Act::fail_and_terminate, .wake_at = now + terminate_patience};
    case Stage::terminating:
      return start_killing(now, Act::kill);
    case Stage::killing:
      stage_ = Stage::closing;
      return {.act = Act::give_up};
    case Stage::open:
    case Stage::closing:
    case Stage::ended:
      return {};
  }
  return {};
}

}  // namespace bulkhead::pool
