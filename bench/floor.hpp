// What this machine can do at best: the floor under the figures of calls, measured with nothing
// but rings and plain system calls. Each function forks, so call them from one thread.
#pragma once

#include <cstddef>

namespace bulkhead::bench {

// Where the two processes run. On one core, whoever spins gives its time slice away between looks.
enum class Pinning { free, one_core, two_cores };

struct Latency {
  double p50_ns = 0;
  double p99_ns = 0;
};

// A payload of 64 bytes to another process and back, `rounds` times. One reading of the clock per
// round is included.
Latency bare_ring_round_trip(Pinning pinning, unsigned rounds);  // spinning only
Latency link_round_trip(Pinning pinning, unsigned rounds);       // spins and sleeps as workers do
Latency pipe_round_trip(Pinning pinning, unsigned rounds);       // blocking pipes, one byte

// Bytes per second of `bytes` written into a ring in frames of the largest size, and copied out by
// another process.
double bare_ring_throughput(std::size_t bytes, std::size_t ring_bytes = 256 * 1024);

// Median microseconds of a fork until the child has written a byte to a pipe, and of a vfork and
// exec of /bin/true until it has ended.
double bare_fork_us(unsigned times = 100);
double bare_exec_us(unsigned times = 100);

}  // namespace bulkhead::bench
