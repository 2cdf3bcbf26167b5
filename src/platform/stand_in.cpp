#include "platform/stand_in.hpp"

namespace bulkhead::platform {
namespace {

thread_local bool this_thread_stands_in = false;

struct StandIn {
  StandIn() { this_thread_stands_in = true; }
  ~StandIn() { this_thread_stands_in = false; }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;
};

}  // namespace

bool stands_in() noexcept { return this_thread_stands_in; }

int run_as_process(const std::function<void()>& work) try {
  const StandIn meanwhile;
  work();
  return 0;
} catch (const StandInEnded& ended) {
  return ended.code;
}

}  // namespace bulkhead::platform
