// A ring's reader sleeps, its writer publishes, and may be killed at any step.
// The code: RingWriter::try_write and must_wake_reader, RingReader::prepare_sleep
// (src/ipc/ring.cpp), Link::sleep (src/ipc/link.cpp).
//
// Left out: spinning, which only looks more often; the contents of frames; a full ring (room.pml).
//
// Holds: the reader gets each frame that was published, and nobody sleeps for ever.
//
// passes:
// fails: NO_WRITER_FENCE       the writer looks whether it must ring before its frame is visible
// fails: NO_READER_FENCE       the reader looks once more before its word is visible
// fails: NO_SECOND_LOOK        the reader sleeps without looking once more
// fails: LOOKS_THEN_PUBLISHES  the writer looks whether it must ring, then publishes
// fails: DEATH_NOT_WATCHED     nothing but a ring ends the reader's sleep
// fails: NO_DRAIN_AFTER_DEATH  what a dead writer had published is not looked for

#define THREADS 2
#define WORDS 2
#define WRITER 0
#define READER 1
#define tail 0           // RingControl::tail
#define reader_sleeps 1  // RingControl::reader_sleeps
#include "store_buffer.pml"

#define FRAMES 3

bool bell;    // a byte is in the socket; more say nothing more
bool killed;  // the writer is, from now on
bool dead;    // as its pidfd and its end of the socket tell

active proctype Killer() {
  if
  :: killed = true
  :: skip
  fi
}

inline publish() {
  store(WRITER, tail, published + 1);
  published++;
#ifndef NO_WRITER_FENCE
  fence(WRITER);
#endif
}

inline look_whether_to_ring() {
  must_ring = 0;
  if
  :: memory[reader_sleeps] != 0 -> exchange(WRITER, reader_sleeps, 0, must_ring)
  :: else
  fi
}

active proctype Writer() {
  byte published, must_ring;
  bool lives_on;
  {
    do
    :: published == FRAMES -> break
    :: else ->
#ifdef LOOKS_THEN_PUBLISHES
      look_whether_to_ring();
      publish();
#else
      publish();
      look_whether_to_ring();
#endif
      if
      :: must_ring -> bell = true
      :: else
      fi
    od
    lives_on = true
  } unless { killed }
  if
  :: lives_on
  :: else -> fence(WRITER); dead = true  // what it has stored arrives
  fi
}

inline receive_all() {
  do
  :: received < memory[tail] -> received++
  :: else -> break
  od
}

active proctype Reader() {
  byte received;
  do
  :: receive_all();
    if
    :: received == FRAMES -> break
    :: else
    fi
    store(READER, reader_sleeps, 1);
#ifndef NO_READER_FENCE
    fence(READER);
#endif
    if
#ifndef NO_SECOND_LOOK
    :: received < memory[tail] -> skip
#endif
    :: else ->
      if
      :: atomic { bell -> bell = false }
#ifndef DEATH_NOT_WATCHED
      :: dead -> break
#endif
      fi
    fi
    store(READER, reader_sleeps, 0)  // cancel_sleep(): nobody needs to see it soon
  od
#ifndef NO_DRAIN_AFTER_DEATH
  receive_all();
#endif
  assert(received == memory[tail])
}
