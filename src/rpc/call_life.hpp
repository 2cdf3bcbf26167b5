// The life of one call, as rules: what happened goes in, what must be done comes out.
// No I/O, no thread, no clock. Lives under the lock of whoever owns the call.
//
//            hand_over                 answered
//   queued ─────────────▶ handed_over ──────────▶ settled
//     ▲                    │   │   │
//     └─ taken_back, lost ─┘   │   └─ stop(partial) ─▶ stopping ──── answered, lost ──▶ settled
//        before it began,      │
//        or to be tried again  └─ stop(terminal) ────▶ abandoned ─── answered, lost ──▶ settled
//
// Whether a worker has begun a call is told by the call's slot in shared memory, which the owner
// reads, or takes back, just before it reports an event.
//
// A call that ran beside others when its worker ended is only a suspect. If it may be tried again
// it is, without being charged; but alone from then on, so that the next crash is its own.
#pragma once

#include <cstdint>

#include "bulkhead/detail/call.hpp"

namespace bulkhead::rpc {

class CallLife {
 public:
  enum class State : std::uint8_t {
    queued,       // waits in the app for a worker
    handed_over,  // a worker has it, and may have begun
    stopping,     // begun; its handler was asked to stop, its caller still waits
    abandoned,    // begun; its caller has been told, its worker has not ended with it yet
    settled,      // its caller has been told, and no worker has it
  };
  using Stop = detail::Stop;
  // How far its worker was with it when it ended.
  enum class Run : std::uint8_t { not_begun, alone, beside_others };
  enum class Failure : std::uint8_t { none, crashed, cancelled, deadline, shut_down };

  // What the owner must do next.
  struct Step {
    enum class Then : std::uint8_t { nothing, requeue, deliver, fail } then = Then::nothing;
    Failure failure = Failure::none;  // with `fail`
    bool ask_handler = false;         // to stop, and start its grace period
    bool kill_worker = false;
  };

  CallLife() = default;
  // `max_attempts`: how many workers it may take down before it is given up; 0: it is not tried
  // again in any case, as one that is not idempotent.
  CallLife(bool idempotent, unsigned max_attempts)
      : attempts_allowed_(idempotent ? max_attempts : 0) {}

  State state() const { return state_; }
  // The attempt that is under way, from 1.
  unsigned attempt() const { return tries_lost_ + 1; }
  // How many workers it took down, as far as that is known.
  unsigned charged() const { return charged_; }
  // It may have taken a worker down: until it is settled, it must not run beside others.
  bool must_run_alone() const { return tries_lost_ > 0; }

  // It has left something with a worker that no other can be given.
  void try_no_more() { attempts_allowed_ = 0; }

  void hand_over();
  // The owner got it back before the worker had begun.
  Step taken_back();
  Step answered();
  // Its worker ended.
  Step worker_lost(Run run);
  // Its caller or its deadline asks for an end. `reason`: cancelled or deadline.
  Step stop(Failure reason, Stop how, bool begun);
  // The handler that was asked to stop has not answered within its grace period.
  Step grace_over() const;
  // Its owner ends: nobody will run it any more.
  Step shut_down();

 private:
  Step settle(Step::Then then, Failure failure = Failure::none);
  Step crashed(Run run);

  State state_ = State::queued;
  Failure stop_reason_ = Failure::none;
  unsigned attempts_allowed_ = 0;
  unsigned tries_lost_ = 0;  // that had begun when their worker ended
  unsigned charged_ = 0;     // those among them that were its own fault
};

}  // namespace bulkhead::rpc
