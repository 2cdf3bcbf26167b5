// A call is taken back from its worker while its thread is about to sleep there, with the receive
// role in its hand. The code: Calls::take_back (src/pool/calls.cpp), Calls::sleep_until_rung
// (src/pool/calls_receiving.cpp), Call::begin_sleep.
//
// Holds: the thread does not stay with a worker that no longer has its call.
//
// passes:
// fails: NO_FENCE          whoever moves it looks for the sleeper before `at` is visible
// fails: NO_SECOND_LOOK    the thread sleeps without looking where its call is
// fails: NO_NUDGE          whoever moves it lets the thread sleep

#define THREADS 2
#define WORDS 2
#define MOVER 0
#define SLEEPER 1
#define at 0     // Call::at: 0 is this worker, 1 is nowhere
#define state 1  // Call::state_: 0 is open, 1 is elsewhere
#include "store_buffer.pml"

bool direct_bell;

active proctype Mover() {
  store(MOVER, at, 1);
#ifndef NO_FENCE
  fence(MOVER);
#endif
#ifndef NO_NUDGE
  if
  :: memory[state] == 1 -> direct_bell = true
  :: else
  fi
#endif
}

active proctype Sleeper() {
  byte before;
  do
  :: memory[at] == 1 -> break
  :: else ->
    exchange(SLEEPER, state, 1, before);
    if
#ifndef NO_SECOND_LOOK
    :: memory[at] == 1 -> skip
#endif
    :: else -> atomic { direct_bell -> direct_bell = false }
    fi
    exchange(SLEEPER, state, 0, before)
  od
}
