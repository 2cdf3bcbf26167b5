// Whoever waits, receives: two threads wait for their calls' answers, one of them with the receive
// role, else the reactor receives. The worker may be killed at any step, and one call called off.
// The code: ReceiveRole (src/rpc/receive_role.hpp), receive_until, sleep_until_rung, rang,
// receive_some and make_round (src/pool/calls_receiving.cpp), Calls::left (src/pool/calls.cpp),
// Call::wait and settle (src/rpc/call.cpp).
//
// Left out: the order of memory, for each access takes effect at once (doorbell.pml, rounds.pml);
// calls that move (moving.pml); deadlines; when a thread lets others have their turn.
//
// Holds: each call is settled once and its thread wakes; what was published before the worker's
// death is delivered. Thread N waits for call N; call 1 may be called off.
//
// passes:
// fails: KNOCK_FORGOTTEN        the reactor, turned away, leaves no word
// fails: LETS_GO_UNARMED        a thread lets go without saying that it must be rung for
// fails: ARMS_WITHOUT_LOOK      it says so, and does not look once more
// fails: NO_NUDGE               whoever settles a call lets a thread sleep that waits for a ring
// fails: NO_ROUNDS              a connection is left unattended, and the reactor makes no rounds
// fails: DEATH_NOT_WATCHED      the reactor does not watch the pidfd
// fails: NO_DRAIN_AFTER_DEATH   the calls of a dead worker fail before its ring is looked at

#define CALLS 2

mtype = { free, taken, knocked, demanded };    // ReceiveRole::State
mtype = { open, awaited, elsewhere, settled };  // Call::State
mtype = { nobody, usual, direct };              // Ear

mtype role = free;
mtype state[CALLS] = open;
bool worker_has[CALLS] = true;  // AppEnd's table
mtype reader_sleeps = usual;
bool usual_bell, direct_bell, posted;  // `posted`: ring_reactor()
bool unattended;
byte frame[CALLS];  // the response ring: which call each frame answers
byte head, tail;
bool killed, dead, seat_is_empty;

active proctype Killer() {
  if
  :: killed = true
  :: skip
  fi
}

active proctype Worker() {
  byte call;
  mtype ear;
  {
    do
    :: call == CALLS -> break
    :: else ->
      if
      :: !worker_has[call]  // called off: its handler ends, or hangs
      :: atomic { frame[tail] = call; tail++ };
        atomic { ear = reader_sleeps; reader_sleeps = nobody };
        if
        :: ear == usual -> usual_bell = true
        :: ear == direct -> direct_bell = true
        :: else
        fi
      fi;
      atomic { call++; ear = nobody }
    od;
end_waits:
    false
  } unless { killed }
  dead = true
}

inline settle(call) {
  atomic { was = state[call]; assert(was != settled); state[call] = settled };
  if
#ifndef NO_NUDGE
  :: atomic { was == elsewhere -> direct_bell = true; was = open }
#endif
  :: atomic { else -> was = open }
  fi
}

// With the role. AppEnd::close is under the lock; the call is settled after it.
inline receive() {
  atomic {
    answered = frame[head];
    head++;
    mine = worker_has[answered];
    worker_has[answered] = false;
  }
  if
  :: atomic { mine -> mine = false }; settle(answered)
  :: else
  fi;
  answered = 0
}

inline let_go() {
  atomic { turned_away = role != taken; role = free };
  if
  :: atomic { turned_away -> posted = true; turned_away = false }
  :: else
  fi
}

// The usual ear. Ends the loop that it is in, if nothing has come.
#ifdef ARMS_WITHOUT_LOOK
#define arm_or_go_on() reader_sleeps = usual; break
#else
#define arm_or_go_on()             \
  reader_sleeps = usual;           \
  if                               \
  :: head == tail -> break         \
  :: else -> reader_sleeps = nobody \
  fi
#endif

proctype Waiting(byte call) {
  byte answered;
  mtype was;
  bool mine, turned_away, asleep;
  // receive_for
  if
  :: state[call] == settled -> goto ready
  :: atomic { role == free -> role = taken }
  :: atomic { role != free -> goto sleep }
  fi;
  // receive_until
  reader_sleeps = nobody;
  do
  :: head < tail -> receive()
  :: head == tail && (state[call] == settled || role == demanded) ->
    if  // whether this thread will be back soon
    :: unattended = true; break
#ifdef LETS_GO_UNARMED
    :: break
#else
    :: arm_or_go_on()
#endif
    fi
  :: head == tail && state[call] != settled && role != demanded ->
    // sleep_until_rung
    atomic {
      asleep = state[call] == open;
      if
      :: asleep -> state[call] = elsewhere
      :: else
      fi
    }
    if
    :: atomic { asleep -> asleep = false; reader_sleeps = direct };
      if
      :: head < tail
      // A bell that is closed wakes it at once, and again, until the reactor demands the role.
      :: head == tail ->
        if
        :: atomic { direct_bell -> direct_bell = false }
        :: dead && role == demanded
        fi
      fi;
      reader_sleeps = nobody;
      atomic {
        if
        :: state[call] == elsewhere -> state[call] = open
        :: else
        fi
      }
    :: else
    fi
  od;
  let_go();
sleep:
  atomic {
    if
    :: state[call] == open -> state[call] = awaited
    :: else
    fi
  }
  state[call] == settled;
ready:
  skip
}

active proctype Canceller() {
  mtype was;
  bool mine;
  if
  :: atomic { mine = worker_has[1]; worker_has[1] = false };
    if
    :: atomic { mine -> mine = false }; settle(1)
    :: else
    fi
  :: skip
  fi
}

inline receive_some() {
  do
  :: head < tail -> receive()
  :: head == tail -> arm_or_go_on()
  od
}

active proctype Reactor() {
  byte answered, call;
  mtype was;
  bool mine, turned_away, has_role;
end:
  do
  :: atomic { (usual_bell || posted) && !seat_is_empty -> usual_bell = false; posted = false };
    atomic {
      has_role = role == free;
      if
      :: role == free -> role = taken
#ifndef KNOCK_FORGOTTEN
      :: role == taken -> role = knocked
#endif
      :: else
      fi
    }
    if
    :: atomic { has_role -> has_role = false; reader_sleeps = nobody }; receive_some(); let_go()
    :: else
    fi
#ifndef NO_ROUNDS
  // make_round. That there will be one is shown by rounds.pml.
  :: atomic { unattended && role == free && !seat_is_empty ->
       role = taken; unattended = false; reader_sleeps = nobody };
    receive_some();
    let_go()
#endif
#ifndef DEATH_NOT_WATCHED
  // Calls::left. Turned away, it comes again.
  :: dead && !seat_is_empty && role != demanded ->
    atomic {
      has_role = role == free;
      role = (has_role -> taken : demanded);
    }
    if
    :: atomic { has_role -> has_role = false };
#ifndef NO_DRAIN_AFTER_DEATH
      do
      :: head < tail -> receive()
      :: else -> break
      od;
#endif
      call = 0;
      do
      :: call == CALLS -> break
      :: else ->
        atomic { mine = worker_has[call]; worker_has[call] = false };
        if
        :: atomic { mine -> mine = false; assert(head == tail) }; settle(call)
        :: else
        fi;
        call++
      od;
      atomic { seat_is_empty = true; call = 0 }
    :: else -> direct_bell = true
    fi
#endif
  od
}

init { atomic { run Waiting(0); run Waiting(1) } }
