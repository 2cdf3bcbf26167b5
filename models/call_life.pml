// One call, from its queue to its settling, over up to three workers, one after the other. Each has
// a segment with one slot; the first two may be killed at any step.
// The code: CallLife (src/rpc/call_life.cpp), AppEnd::hand_over, take_back_at, close and drain
// (src/rpc/app_end.cpp), WorkerEnd::claim (src/rpc/worker_end.cpp), Calls::stop and stop_at
// (src/pool/calls_stopping.cpp), Calls::left, lost and fail_all (src/pool/calls.cpp).
//
// Left out: the order of memory, as all that counts is exchanged, or said under the lock; other
// calls (whether any ran beside this one is anybody's guess); how a worker is told to stop.
//
// Holds: its caller is told exactly once; it runs at most once, or, if it is idempotent, as often
// as it may take workers down; it is never taken back and begun both; an answer that was published
// counts.
//
// passes:
// passes: IDEMPOTENT
// fails: CLAIM_LOADS_AND_STORES      the worker claims by a load and a store
// fails: TAKE_BACK_LOADS_AND_STORES  the app takes back by a load and a store
// fails: NO_TICKETS                  the slot does not say which giving of the call it is about
// fails: NO_DRAIN_AFTER_DEATH        a dead worker's ring is not looked at
// fails: RETRIES_EVERYTHING          a call that had begun is tried again in any case
// fails: RETRIES_FOR_EVER IDEMPOTENT      nobody counts how many workers it took down
// fails: LOST_UNLESS_BEGUN           what a dead worker had not begun is not queued again
// fails: ABANDONED_IS_ANSWERED       a late answer is delivered though its caller was told
// fails: ANSWERED_STAYS              an answered call stays in the table

#define WORKERS 3
#define TAKES_BACK 1
#define MAX_ATTEMPTS 1  // RestartPolicy's; one of them is spared besides

// Slot words.
#define slot_free 0
#define queued_word(t) (ticket_in(t) * 2 + 1)
#define begun_word(t) (ticket_in(t) * 2 + 2)
#ifdef NO_TICKETS
#define ticket_in(t) 0
#else
#define ticket_in(t) (t)
#endif
#define TICKETS 6

mtype = { queued, handed_over, stopping, abandoned, settled };  // CallLife::State
mtype life = queued;
byte charged, tries_lost;

bool lock;  // Calls::mutex_
bool in_queue = true, closed;
byte seated;           // which worker is
byte entry[WORKERS];   // AppEnd's: the ticket under which it has the call, or 0
byte last_ticket;

byte slot[WORKERS];
chan requests[WORKERS] = [2] of { byte };
chan responses[WORKERS] = [2] of { byte };
bool killed[WORKERS], dead[WORKERS];

byte told, runs;
bool begun[TICKETS], taken_back[TICKETS];

#define take_lock() atomic { !lock -> lock = true }
#define give_lock() lock = false

inline tell_caller() { told++; assert(told == 1) }

inline exchange(word, expected, desired, done) {
  atomic {
    done = word == expected;
    if
    :: done -> word = desired
    :: else
    fi
  }
}

proctype Worker(byte me) {
  byte ticket;
  bool mine;
  {
end:
    do
    :: requests[me]?ticket ->
#ifdef CLAIM_LOADS_AND_STORES
      mine = slot[me] == queued_word(ticket);
      if
      :: mine -> slot[me] = begun_word(ticket)
      :: else
      fi;
#else
      exchange(slot[me], queued_word(ticket), begun_word(ticket), mine);
#endif
      if
      :: mine ->
        atomic {
          begun[ticket] = true;
          assert(!taken_back[ticket]);
          runs++;
#ifdef IDEMPOTENT
          assert(runs <= MAX_ATTEMPTS + 1)
#else
          assert(runs == 1)
#endif
        };
        responses[me]!ticket
      :: else
      fi
    od
  } unless { killed[me] }
  dead[me] = true
}

// The last worker stays, so that the call can be answered.
active proctype Killer() {
end:
  do
  :: !killed[0] -> killed[0] = true
  :: !killed[1] -> killed[1] = true
  od
}

inline took_back(ticket) { taken_back[ticket] = true; assert(!begun[ticket]) }

inline requeue() { life = queued; in_queue = true }

// Calls::dispatch
active proctype Dispatcher() {
end:
  do
  :: atomic { !lock && in_queue && last_ticket + 1 < TICKETS -> lock = true };
    life = handed_over;
    in_queue = false;
    last_ticket++;
    slot[seated] = queued_word(last_ticket);
    entry[seated] = last_ticket;
    requests[seated]!last_ticket;
    give_lock()
  od
}

// Calls::relieve, give_in_turn, watch_flow: calls move to others.
active proctype Mover() {
  byte times, ticket, at;
  bool done;
end:
  do
  :: atomic { !lock && times < TAKES_BACK && entry[seated] != 0 -> lock = true; at = seated };
    times++;
    ticket = entry[at];
#ifdef TAKE_BACK_LOADS_AND_STORES
    done = slot[at] == queued_word(ticket);
    if
    :: done -> slot[at] = slot_free
    :: else
    fi;
#else
    exchange(slot[at], queued_word(ticket), slot_free, done);
#endif
    if
    :: done ->
      atomic { took_back(ticket); entry[at] = 0; requeue() }
    :: else
    fi;
    give_lock()
  od
}

// Calls::stop, by a caller or a deadline: total, partial, or terminal.
active proctype Stopper() {
  byte ticket, at;
  bool done, tells;
end:
  do
  :: take_lock();
    at = seated;
    ticket = entry[at];
    tells = false;
    if
    :: in_queue -> atomic { in_queue = false; life = settled; tells = true }
    :: !in_queue && ticket != 0 ->
      exchange(slot[at], queued_word(ticket), slot_free, done);
      if
      :: done -> atomic { took_back(ticket); entry[at] = 0; life = settled; tells = true }
      :: else ->
        if
        :: skip                                                 // total: nothing is lost
        :: atomic { life == handed_over -> life = stopping }    // partial
        :: atomic { life == handed_over || life == stopping ->  // terminal
             life = abandoned; tells = true }
        fi
      fi
    :: else
    fi;
    give_lock();
    if
    :: tells -> tell_caller()
    :: else
    fi;
    break
  od
}

// Calls::fail_all, when the pool ends.
active proctype Shutdown() {
  bool tells;
end:
  do
  :: take_lock();
    closed = true;
    tells = in_queue || (entry[seated] != 0 && life != abandoned);
    atomic {
      if
      :: in_queue || entry[seated] != 0 -> life = settled
      :: else
      fi
    };
    in_queue = false;
    entry[seated] = 0;
    give_lock();
    if
    :: tells -> tell_caller()
    :: else
    fi;
    break
  od
}

inline take_answer(at, ticket) {
  take_lock();
  mine = entry[at] == ticket;
  assert(mine || closed);  // else a good worker would be ended
#ifndef ANSWERED_STAYS
  entry[at] = 0;
#endif
  give_lock();
  // CallLife::answered. No longer in the table, the call is this thread's alone.
  if
#ifndef ABANDONED_IS_ANSWERED
  :: mine && life == abandoned -> life = settled
  :: mine && life != abandoned -> life = settled; tell_caller()
#else
  :: mine -> life = settled; tell_caller()
#endif
  :: else
  fi
}

// CallLife::worker_lost, and what its owner then does.
inline lose(at) {
  take_lock();
  assert(entry[at] == 0 || empty(responses[at]));
  ticket = entry[at];
  entry[at] = 0;
  tells = false;
  if
  :: ticket != 0 && life == handed_over && slot[at] == queued_word(ticket) ->
#ifdef LOST_UNLESS_BEGUN
    skip
#else
    requeue()
#endif
  :: ticket != 0 && life == handed_over && slot[at] != queued_word(ticket) ->
    if  // whether others ran beside it, as the worker's memory says
    :: tries_lost == 0
    :: charged++
    fi;
    if
#ifdef RETRIES_EVERYTHING
    :: true -> requeue()
#endif
#ifdef IDEMPOTENT
#ifndef RETRIES_FOR_EVER
    :: charged < MAX_ATTEMPTS -> tries_lost++; requeue()
    :: charged >= MAX_ATTEMPTS -> life = settled; tells = true
#else
    :: true -> tries_lost++; requeue()
#endif
#else
    :: true -> life = settled; tells = true
#endif
    fi
  :: ticket != 0 && life == stopping -> life = settled; tells = true
  :: ticket != 0 && life == abandoned -> life = settled
  :: else
  fi;
  seated = at + 1;
  give_lock();
  if
  :: tells -> tell_caller()
  :: else
  fi
}

// Whoever has the receive role; and the reactor, when a pidfd tells of an end.
active proctype Receiver() {
  byte ticket, at;
  bool mine, tells;
end:
  do
  :: responses[at]?ticket -> take_answer(at, ticket)
  :: dead[at] ->
#ifndef NO_DRAIN_AFTER_DEATH
    do
    :: responses[at]?ticket -> take_answer(at, ticket)
    :: empty(responses[at]) -> break
    od;
#endif
    lose(at);
    at++
  od
}

// Future::get. Where nobody can tell it any more, this is no valid end.
active proctype Caller() { told == 1 }

init { atomic { run Worker(0); run Worker(1); run Worker(2) } }
