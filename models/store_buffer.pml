// Memory as x86 has it: a store waits in its thread's buffer, and memory takes it at any later
// moment. fence() and exchange() wait until the buffer is empty, as a sequentially consistent store
// does. Loads look into memory: no thread here loads what it has stored itself and not fenced.
//
// To be included first, with THREADS and WORDS defined. Threads are numbered from 0.

byte memory[WORDS];
chan buffer[THREADS] = [2] of { byte, byte };

#define store(thread, word, value) buffer[thread]!word, value
#define fence(thread) empty(buffer[thread])

active [THREADS] proctype Buffer() {
  byte word, value;
end:
  do
  :: atomic { buffer[_pid]?word, value -> memory[word] = value }
  od
}

// Loads and stores at once, as a locked instruction.
inline exchange(thread, word, value, before) {
  atomic {
    fence(thread);
    before = memory[word];
    memory[word] = value;
  }
}
