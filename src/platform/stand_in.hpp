// Threads that stand for processes: what would end the process ends them alone. So what is written
// for a process of its own can run in one that it shares.
#pragma once

#include <functional>
#include <utility>

namespace bulkhead::platform {

// What exit_now() throws there. Nobody but run_as_process() is to catch it for good.
struct StandInEnded {
  int code;
};

bool stands_in() noexcept;  // this thread

// Runs `work` on this thread, which stands for a process meanwhile: its exit code, 0 if it returns.
// What else it throws goes on.
int run_as_process(const std::function<void()>& work);

// What another thread of the same process is to run, whichever kind that is.
template <class Work>
auto on_another_thread(Work work) {
  return [work = std::move(work), stands_in = stands_in()]() mutable {
    if (stands_in)
      run_as_process(std::ref(work));
    else
      work();
  };
}

}  // namespace bulkhead::platform
