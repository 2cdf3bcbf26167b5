#include "bulkhead/detail/progress.hpp"

#include <stdexcept>
#include <string>

#include "platform/log.hpp"

namespace bulkhead::detail {

void refuse_progress(const ProgressType& type, std::string_view told) {
  std::string why = "Context::progress was told a value of type " + std::string(told) + ", but ";
  if (type.name.empty())
    why += std::string(type.request) + " has no Progress";
  else
    why += "the Progress of " + std::string(type.request) + " is " + std::string(type.name);
  throw std::logic_error(why);
}

bool ProgressBox::put(std::span<const std::byte> packed) {
  if (closed_.load()) return false;
  auto value = unpack(packed);  // in the end the one before, which ends without the lock
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  value_.swap(value);
  return !std::exchange(turn_is_due_, true);
}

ProgressBox::Then ProgressBox::take_turn() {
  for (;;) {
    std::shared_ptr<void> value;
    {
      const std::lock_guard lock(mutex_);
      value.swap(value_);
    }
    if (value && !closed_.load()) tell_logged(value.get());
    value.reset();
    const std::lock_guard lock(mutex_);
    if (value_ && !ended_) return Then::another_turn;  // others have theirs first
    if (value_) continue;
    turn_is_due_ = false;
    return ended_ ? Then::end_call : Then::nothing;
  }
}

ProgressBox::Then ProgressBox::skip_turn() {
  close();
  return take_turn();
}

void ProgressBox::tell_logged(void* value) {
  try {
    tell(value);
  } catch (const std::exception& error) {
    platform::logger()->error("A function for progress values threw: {}", error.what());
  } catch (...) {
    platform::logger()->error("A function for progress values threw");
  }
}

bool ProgressBox::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  return !turn_is_due_;
}

}  // namespace bulkhead::detail
