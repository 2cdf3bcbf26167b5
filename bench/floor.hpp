// What this machine can do at best: the floor under the figures, measured with nothing but rings
// and plain system calls. Each function forks, so call them from one thread.
#pragma once

#include <cstddef>

#include "samples.hpp"

namespace bulkhead::bench {

// Where the two processes run. On one core, whoever spins gives its time slice away between looks.
enum class Pinning { free, one_core, two_cores };

// A payload of 64 bytes to another process and back, spinning only. One reading of the clock is
// included in each.
Samples ring_round_trips(Pinning pinning, unsigned rounds);
// A byte through two blocking pipes, on one core.
Samples pipe_round_trips(unsigned rounds);
// Messages a second, as large as those calls with their heads, `open` of them open at a time; the
// best of some rounds.
double ring_throughput(unsigned messages, unsigned open, unsigned rounds);
// One memcpy of so many bytes.
Samples copies(std::size_t bytes, unsigned times);

// A fork until the child has written a byte to a pipe.
Samples forks(unsigned times);
// A vfork and exec of /bin/true until it has ended.
Samples execs(unsigned times);
// A child that has written to so many bytes of memory is killed, until its pidfd tells.
Samples deaths(unsigned times, std::size_t resident = 0);
// A child is killed, its pidfd tells, it is reaped, another is forked and writes a byte.
Samples replacements(unsigned times);

}  // namespace bulkhead::bench
