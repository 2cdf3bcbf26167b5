#include "platform/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include "platform/fd.hpp"

namespace bulkhead::platform {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

// libstdc++'s steady_clock is CLOCK_MONOTONIC, which FUTEX_WAIT_BITSET takes as it is.
timespec to_timespec(std::chrono::steady_clock::time_point time) {
  const auto since_boot = std::max(time.time_since_epoch(), std::chrono::nanoseconds(0));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since_boot - seconds).count())};
}

int flag(Sharing sharing) { return sharing == Sharing::threads ? FUTEX_PRIVATE_FLAG : 0; }

}  // namespace

bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::optional<std::chrono::steady_clock::time_point> deadline, Sharing sharing) {
  const timespec until = deadline ? to_timespec(*deadline) : timespec{};
  for (;;) {
    // The deadline is absolute: starting again after a signal makes the wait no longer.
    const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | flag(sharing), expected,
                                  deadline ? &until : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == 0 || errno == EAGAIN) return true;
    if (errno == ETIMEDOUT) return false;
    if (errno != EINTR) throw_errno("cannot wait for a word of memory to change");
  }
}

void futex_wake_all(const std::atomic<std::uint32_t>& word, Sharing sharing) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE | flag(sharing), INT_MAX, nullptr, nullptr, 0);
}

}  // namespace bulkhead::platform
