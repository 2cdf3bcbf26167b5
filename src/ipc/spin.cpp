#include "ipc/spin.hpp"

#include <algorithm>

namespace bulkhead::ipc {
namespace {

constexpr SpinPolicy::Time shortest = std::chrono::microseconds(5);
// An idle hour must not count for more than a slow answer: six fast waits outweigh it.
constexpr SpinPolicy::Time slowest_counted = 2 * SpinPolicy::longest;
constexpr unsigned probe_every = 8;

}  // namespace

SpinPolicy::Time SpinPolicy::budget(bool peer_on_my_core, Time limit) {
  probing_ = false;
  if (peer_on_my_core || limit <= Time(0)) return Time(0);
  if (average_ <= limit) return std::min(std::max(4 * average_, shortest), limit);
  if (++refused_ < probe_every) return Time(0);
  refused_ = 0;
  probing_ = true;
  return limit;
}

void SpinPolicy::waited(Time took) {
  // Waits that slept include the time that waking takes, so only a probe can show that answers have
  // become fast. It is believed at once.
  if (probing_ && took < average_)
    average_ = took;
  else
    average_ += (std::min(took, slowest_counted) - average_) / 8;
  probing_ = false;
}

}  // namespace bulkhead::ipc
