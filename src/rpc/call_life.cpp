#include "rpc/call_life.hpp"

namespace bulkhead::rpc {

using Step = CallLife::Step;

Step CallLife::settle(Step::Then then, Failure failure) {
  state_ = State::settled;
  return {.then = then, .failure = failure};
}

void CallLife::hand_over() {
  if (state_ == State::queued) state_ = State::handed_over;
}

Step CallLife::taken_back() {
  if (state_ != State::handed_over) return {};
  state_ = State::queued;
  return {.then = Step::Then::requeue};
}

Step CallLife::answered() {
  switch (state_) {
    case State::handed_over:
      return settle(Step::Then::deliver);
    case State::stopping:  // too late: its caller was promised a stop
      return settle(Step::Then::fail, stop_reason_);
    case State::abandoned:
      return settle(Step::Then::nothing);
    case State::queued:
    case State::settled:
      return {};
  }
  return {};
}

// Whatever the worker's memory says that ran beside it, a call is only spared once.
Step CallLife::crashed(Run run) {
  const bool spared = run == Run::beside_others && !must_run_alone();
  if (!spared) ++charged_;
  if (charged_ >= attempts_allowed_) return settle(Step::Then::fail, Failure::crashed);
  ++tries_lost_;
  return taken_back();
}

Step CallLife::worker_lost(Run run) {
  switch (state_) {
    case State::handed_over:
      return run == Run::not_begun ? taken_back() : crashed(run);
    case State::stopping:  // the end that the stop asked for: never a crash of the call
      return settle(Step::Then::fail, stop_reason_);
    case State::abandoned:
      return settle(Step::Then::nothing);
    case State::queued:
    case State::settled:
      return {};
  }
  return {};
}

Step CallLife::stop(Failure reason, Stop how, bool begun) {
  if (state_ == State::queued || (state_ == State::handed_over && !begun))
    return settle(Step::Then::fail, reason);
  if (how == Stop::total) return {};
  if (state_ == State::handed_over && how == Stop::partial) {
    state_ = State::stopping;
    stop_reason_ = reason;
    return {.ask_handler = true};
  }
  if (how == Stop::terminal && (state_ == State::handed_over || state_ == State::stopping)) {
    const bool asked = state_ == State::stopping;
    state_ = State::abandoned;
    return {.then = Step::Then::fail, .failure = reason, .ask_handler = !asked};
  }
  return {};
}

Step CallLife::grace_over() const {
  return {.kill_worker = state_ == State::stopping || state_ == State::abandoned};
}

Step CallLife::shut_down() {
  if (state_ == State::settled) return {};
  const bool told = state_ == State::abandoned;
  return settle(told ? Step::Then::nothing : Step::Then::fail,
                told ? Failure::none : Failure::shut_down);
}

}  // namespace bulkhead::rpc
