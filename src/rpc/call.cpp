#include "bulkhead/detail/call.hpp"

#include <algorithm>
#include <string>

#include "bulkhead/detail/refused.hpp"
#include "platform/futex.hpp"

namespace bulkhead::detail {

namespace {

std::string words_of(const std::exception_ptr& error) noexcept try {
  if (error) std::rethrow_exception(error);
  return "its call ended without it";
} catch (const std::exception& known) {
  return known.what();
} catch (...) {
  return "its call failed";
}

}  // namespace

bool Call::settle_if_lost() {
  auto why = source ? source->out_of_reach() : nullptr;
  if (!why) return false;
  settle_lost(std::move(why));
  return true;
}

bool Call::wait(AnswerSource::Deadline deadline) {
  if (ready()) return true;
  if (source) source->receive_for(*this, deadline);
  for (std::uint32_t seen = state_.load(std::memory_order_acquire); seen != settled;
       seen = state_.load(std::memory_order_acquire)) {
    if (seen == open && !state_.compare_exchange_weak(seen, awaited)) continue;
    if (!platform::futex_wait(state_, awaited, deadline)) return ready();
  }
  return true;
}

void Call::settle(std::exception_ptr error) noexcept {
  drop_carried(error);
  settle_early(std::move(error));
}

bool Call::ends_are_gone() const {
  return std::any_of(ends.begin(), ends.end(),
                     [](const CarriedEnd& carried) { return carried.end->is_gone(); });
}

void Call::drop_ends(const std::exception_ptr& why) noexcept {
  const std::string words = words_of(why);
  for (const CarriedEnd& carried : ends) carried.end->abandon(words);
  ends.clear();
}

void Call::settle_early(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  if (!progress() || progress()->end()) publish();
}

void Call::settle_lost(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  publish();
}

bool Call::follow_turn(ProgressBox::Then then) noexcept {
  if (then == ProgressBox::Then::end_call) publish();
  return then == ProgressBox::Then::another_turn;
}

void Call::publish() noexcept {
  switch (state_.exchange(settled)) {
    case awaited:
      return platform::futex_wake_all(state_);
    case elsewhere:
      return std::exchange(place_, nullptr)->nudge();
    case told:
      return completion_->call_settled();
    default:
      return;
  }
}

bool Call::begin_sleep(std::shared_ptr<Sleeper> place) {
  place_ = std::move(place);
  std::uint32_t seen = open;
  if (state_.compare_exchange_strong(seen, elsewhere)) return true;
  place_.reset();
  return false;
}

void Call::end_sleep() {
  std::uint32_t seen = elsewhere;
  if (state_.compare_exchange_strong(seen, open)) place_.reset();
}

void TypedCall<void>::accept(std::span<const std::byte> response, BytesCarrier*) {
  if (!response.empty())
    throw Refused("a response of " + std::to_string(response.size()) +
                  " bytes where none was expected");
}

}  // namespace bulkhead::detail
