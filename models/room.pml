// A ring is full: its writer sleeps until there is room. The reader looks for it only each time
// that half of the ring was read. Sizes are in cache lines: the ring has 8, a frame 1 or 2, which
// is its quarter.
// The code: RingWriter::prepare_sleep, RingReader::read and must_wake_writer (src/ipc/ring.cpp).
//
// Left out: the reader's own sleep (doorbell.pml), and deaths: a closed bell ends any wait.
//
// Holds: the writer gets everything written.
//
// passes:
// fails: NO_READER_FENCE    the reader looks for the writer before its position is visible
// fails: NO_WRITER_FENCE    the writer looks once more before its word is visible
// fails: NO_SECOND_LOOK     the writer sleeps without looking once more
// fails: TELLS_AFTER=8      the reader looks for the writer only when the whole ring was read

#define THREADS 2
#define WORDS 3
#define WRITER 0
#define READER 1
#define tail 0           // RingControl::tail
#define head 1           // RingControl::head
#define writer_sleeps 2  // RingControl::writer_sleeps
#include "store_buffer.pml"

#define CAPACITY 8
#define TO_WRITE 16
#ifndef TELLS_AFTER
#define TELLS_AFTER (CAPACITY / 2)
#endif

bool bell;
chan sizes = [CAPACITY] of { byte };  // of the frames in the ring, as their headers say

#define has_room (CAPACITY - (written - memory[head]) >= size)

active proctype Writer() {
  byte written, size;
  do
  :: written >= TO_WRITE -> break
  :: else ->
    if
    :: size = 1
    :: size = 2
    fi
    do
    :: has_room -> break
    :: else ->
      store(WRITER, writer_sleeps, 1);
#ifndef NO_WRITER_FENCE
      fence(WRITER);
#endif
      if
#ifndef NO_SECOND_LOOK
      :: has_room -> skip
#endif
      :: else -> atomic { bell -> bell = false }
      fi
      store(WRITER, writer_sleeps, 0)
    od
    sizes!size;
    store(WRITER, tail, written + size);
    written = written + size;
    fence(WRITER)
  od
}

active proctype Reader() {
  byte read, told, size, must_ring;
  bool tells_room;
end:
  do
  :: read < memory[tail] ->
    sizes?size;
    store(READER, head, read + size);
    read = read + size;
    tells_room = read - told >= TELLS_AFTER;
    if
    :: tells_room ->
      told = read;
#ifndef NO_READER_FENCE
      fence(READER);
#endif
      must_ring = 0;
      if
      :: memory[writer_sleeps] != 0 -> exchange(READER, writer_sleeps, 0, must_ring)
      :: else
      fi
      if
      :: must_ring -> bell = true
      :: else
      fi
    :: else
    fi
  od
}
