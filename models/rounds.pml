// A thread lets go of the receive role without arming the ring, and the reactor, which may be
// ending its rounds just then, is to look after the connection.
// The code: Calls::leave_unattended, begin_rounds and make_round (src/pool/calls_receiving.cpp).
//
// Holds: what two threads leave, one after the other, is attended in the end.
//
// passes:
// fails: NO_THREAD_FENCE     a thread looks whether there are rounds before its word is visible
// fails: NO_REACTOR_FENCE    the reactor looks once more before its word is visible
// fails: ENDS_BLINDLY        the reactor ends its rounds without looking once more
// fails: NO_ROUNDS_BEGUN     a thread leaves it to the reactor, which is not told

#define THREADS 2
#define WORDS 2
#define WAITING 0
#define REACTOR 1
#define unattended 0  // ReceiveRole::unattended_; attend() is the reactor's, with the role
#define rounds 1      // Calls::rounds_
#include "store_buffer.pml"

bool timer;  // Listener::rounds_are_due, or make_round was true
bool over;

active proctype Waiting() {
  byte turns, before;
  do
  :: turns == 2 -> break
  :: memory[unattended] == 0 ->  // else there are rounds
    turns++;
    store(WAITING, unattended, 1);
#ifndef NO_THREAD_FENCE
    fence(WAITING);
#endif
#ifndef NO_ROUNDS_BEGUN
    if
    :: memory[rounds] == 0 ->
      exchange(WAITING, rounds, 1, before);
      if
      :: before == 0 -> timer = true
      :: else
      fi
    :: else
    fi;
#endif
    fence(WAITING)  // letting the role go is an exchange
  od;
  over = true
}

active proctype Reactor() {
  byte before;
end:
  do
  :: timer ->
    timer = false;
    if
    :: memory[unattended] == 1 -> exchange(REACTOR, unattended, 0, before)
    :: else
    fi;
    if
    :: memory[unattended] == 1 -> timer = true
    :: else ->
      store(REACTOR, rounds, 0);
#ifndef NO_REACTOR_FENCE
      fence(REACTOR);
#endif
#ifndef ENDS_BLINDLY
      if
      :: memory[unattended] == 1 ->
        exchange(REACTOR, rounds, 1, before);
        if
        :: before == 0 -> timer = true
        :: else
        fi
      :: else
      fi
#endif
    fi
  od
}

active proctype Judge() { over && memory[unattended] == 0 }
