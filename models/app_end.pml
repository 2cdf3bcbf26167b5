// How everything ends: the app, its fork server, a worker, and what the worker started and that
// started in turn. Anybody may be killed at any step. A fork of the app may hold the app's end of
// the control socket open for ever.
// The code: run_child and bind_to_parent (src/platform/exec.cpp), Server (src/worker/
// fork_server_main.cpp), become_forked_worker (src/worker/assignment.cpp), Trees::kill_everything
// (src/process/tree.cpp), ForkServer::close and clear_roof (src/worker/fork_server.cpp).
//
// Left out: the timers after which the app kills what does not end by itself; workers that are
// executed, which run the same steps as the fork server's launch; processes that are stopped.
//
// Holds: when the app has died, or closed its pool, nothing of it is left. Where the fork server is
// killed as well (FORK_SERVER_KILLED), no worker is left; nor what workers started, if there are
// cgroups and the app lives to clear them. (Else the next start sweeps them.)
//
// passes:
// passes: CGROUPS
// passes: FORK_SERVER_KILLED
// passes: FORK_SERVER_KILLED CGROUPS
// fails: PIDFD_NOT_WATCHED              the fork server believes its control socket alone
// fails: SOCKET_NOT_WATCHED             it believes the app's pidfd alone
// fails: NO_HANG_UP                     the app closes its own end only, which its forks have too
// fails: TELLS_FOR_EVER                 it waits for room in the socket without looking at the app
// fails: SIGNAL_GIVEN_UP_EARLY          it gives up SIGKILL before it holds the app's pidfd
// fails: LAUNCH_UNCHECKED               its launch does not see that the app is dead already
// fails: ONE_LEVEL                      it kills its children once, and not what those leave
// fails: NO_SUBREAPER                   what a dead worker leaves is not its child
// fails: NO_DEATH_SIGNAL FORK_SERVER_KILLED  workers ask for no signal
// fails: FORK_UNCHECKED FORK_SERVER_KILLED   a worker does not see that its parent died before that
// fails: ROOF_NOT_CLEARED FORK_SERVER_KILLED CGROUPS  the app leaves the cgroups as they are

#define NOBODY 0  // init, which inherits
#define APP 1
#define FORK 2
#define SERVER 3
#define WORKER 4
#define CHILD 5
#define GRANDCHILD 6
#define PROCESSES 7

mtype = { none, cont, kill };
bool alive[PROCESSES], killed[PROCESSES];
byte parent[PROCESSES];
mtype death_signal[PROCESSES] = none;  // when the parent dies
bool subreaper[PROCESSES];
bool app_holds_control, fork_holds_control, hung_up;
bool executed;  // the launched program runs
bool closed;    // the app has ended its pool
chan orders = [1] of { bit };
chan notices = [1] of { bit };

#ifdef TELLS_FOR_EVER
#define app_seen_dead false
#else
#define app_seen_dead (watched == APP && !alive[APP])
#endif

// The kernel's part of an end: descriptors are closed, children inherited, signals sent.
inline exit(me) {
  atomic {
    alive[me] = false;
    heir = parent[me];
    do
    :: heir == NOBODY || (alive[heir] && subreaper[heir]) -> break
    :: else -> heir = parent[heir]
    od;
    child = APP;
    do
    :: child == PROCESSES -> break
    :: else ->
      if
      :: parent[child] == me ->
        parent[child] = heir;
        if
        :: death_signal[child] == kill -> killed[child] = true
        :: else
        fi
      :: else
      fi;
      child++
    od;
    if
    :: me == APP -> app_holds_control = false
    :: else
    fi;
    child = 0;
    heir = 0
  }
}

#define end_of_control (hung_up || (!app_holds_control && !fork_holds_control))

// What was started by whomever a worker started.
proctype Grandchild() {
  byte heir, child;
end_stays:
  killed[GRANDCHILD];
  exit(GRANDCHILD)
}

proctype Child() {
  byte heir, child;
  {
    if
    :: atomic { parent[GRANDCHILD] = CHILD; alive[GRANDCHILD] = true; run Grandchild() }
    :: skip
    fi;
    if
    :: goto ended  // by itself
    :: skip
    fi;
end_stays:
    false;
ended:
    skip
  } unless { killed[CHILD] }
  exit(CHILD)
}

// become_forked_worker
proctype Worker() {
  byte heir, child;
  {
#ifndef NO_DEATH_SIGNAL
    death_signal[WORKER] = kill;
#endif
    if
#ifndef FORK_UNCHECKED
    :: parent[WORKER] != SERVER -> goto ended
#endif
    :: else
    fi;
    if
    :: atomic { parent[CHILD] = WORKER; alive[CHILD] = true; run Child() }
    :: skip
    fi;
    if
    :: goto ended
    :: skip
    fi;
end_stays:
    false;
ended:
    skip
  } unless { killed[WORKER] }
  exit(WORKER)
}

// Of a worker's process nothing else can be in its cgroup.
inline kill_roof() {
  atomic {
    killed[WORKER] = true;
    killed[CHILD] = killed[CHILD] || alive[CHILD];
    killed[GRANDCHILD] = killed[GRANDCHILD] || alive[GRANDCHILD]
  }
}
#define roof_populated (alive[WORKER] || alive[CHILD] || alive[GRANDCHILD])

#define is_child(process) (alive[process] && parent[process] == SERVER)

// Those that are children now; waits until they have ended.
inline kill_children() {
  atomic {
    kills_worker = is_child(WORKER);
    kills_child = is_child(CHILD);
    kills_grandchild = is_child(GRANDCHILD)
  };
  atomic {
    killed[WORKER] = killed[WORKER] || kills_worker;
    killed[CHILD] = killed[CHILD] || kills_child;
    killed[GRANDCHILD] = killed[GRANDCHILD] || kills_grandchild
  };
  !(kills_worker && alive[WORKER]) && !(kills_child && alive[CHILD]) &&
    !(kills_grandchild && alive[GRANDCHILD])
}

// Server::tell
inline tell() {
  if
  :: notices!0
  :: end_of_control || app_seen_dead -> goto leave
  fi
}

proctype Server() {
  byte heir, child, watched;
  bool kills_worker, kills_child, kills_grandchild;
  {
    // run_child
    death_signal[SERVER] = kill;
    if
#ifndef LAUNCH_UNCHECKED
    :: parent[SERVER] != APP -> goto ended
#endif
    :: else
    fi;
    executed = true;
    // Server's constructor and run()
#ifdef SIGNAL_GIVEN_UP_EARLY
    death_signal[SERVER] = cont;
    watched = parent[SERVER];
#else
    watched = parent[SERVER];
    death_signal[SERVER] = cont;
#endif
#ifndef NO_SUBREAPER
    subreaper[SERVER] = true;
#endif
    tell();
end_polls:
    do
#ifndef PIDFD_NOT_WATCHED
    :: watched == APP && !alive[APP] -> break
#endif
#ifndef SOCKET_NOT_WATCHED
    :: empty(orders) && end_of_control -> break
#endif
    :: orders?_ ->
      atomic { parent[WORKER] = SERVER; alive[WORKER] = true; run Worker() };
      tell()
    od;
leave:
    // Trees::kill_everything
#ifdef CGROUPS
    kill_roof();
#endif
#ifdef ONE_LEVEL
    kill_children();
#else
    do
    :: is_child(WORKER) || is_child(CHILD) || is_child(GRANDCHILD) -> kill_children()
    :: else -> break
    od;
#endif
#ifdef CGROUPS
    !roof_populated;
#endif
ended:
    skip
  } unless { killed[SERVER] }
  exit(SERVER)
}

// Its threads: one launches, gives orders and closes; another forks.
active proctype App() {
  byte heir, child;
  {
    atomic { alive[APP] = true; app_holds_control = true };
    atomic { parent[SERVER] = APP; alive[SERVER] = true; run Server() };
    executed || !alive[SERVER];  // as vfork
    if
    :: orders!0
    :: skip
    fi;
end_lives_on:
    do
    :: notices?_
    :: atomic { !closed ->
         closed = true;
         app_holds_control = false;
#ifndef NO_HANG_UP
         hung_up = true
#endif
       }
    :: !alive[SERVER] -> break
    od;
#ifndef ROOF_NOT_CLEARED
#ifdef CGROUPS
    do  // clear_roof: again and again, until it is empty
    :: roof_populated -> kill_roof()
    :: else -> break
    od;
#endif
#endif
end_stays:
    false
  } unless { killed[APP] }
  exit(APP)
}

active proctype Forker() {
  if
  :: atomic { app_holds_control -> fork_holds_control = true; alive[FORK] = true }
  :: skip
  fi
}

active proctype Killer() {
  if
  :: killed[APP] = true
  :: skip
  fi
#ifdef FORK_SERVER_KILLED
  ;
  if
  :: killed[SERVER] = true
  :: skip
  fi
#endif
}

// When nothing moves any more.
active proctype Judge() {
  timeout;
  assert(!(!alive[APP] || closed) || !alive[SERVER]);
  assert(alive[SERVER] || !alive[WORKER]);
#ifndef FORK_SERVER_KILLED
  assert(alive[SERVER] || (!alive[CHILD] && !alive[GRANDCHILD]))
#endif
#ifdef FORK_SERVER_KILLED
#ifdef CGROUPS
  assert(alive[SERVER] || !alive[APP] || (!alive[CHILD] && !alive[GRANDCHILD]))
#endif
#endif
}
