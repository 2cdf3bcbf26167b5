#include "platform/cpu.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace bulkhead::platform {

unsigned current_core() noexcept {
  const int core = ::sched_getcpu();
  return core < 0 ? 0 : static_cast<unsigned>(core);
}

unsigned usable_cores() {
  // The kernel refuses a mask that is smaller than its own: 1024 cores first, then more.
  for (std::vector<cpu_set_t> masks(1); masks.size() <= 64; masks.resize(masks.size() * 2)) {
    const std::size_t bytes = masks.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, masks.data()) == 0)
      return static_cast<unsigned>(std::max(CPU_COUNT_S(bytes, masks.data()), 1));
    if (errno != EINVAL) break;
  }
  return 1;
}

}  // namespace bulkhead::platform
