// The floor under calls: bytes to another process and back.
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "floor.hpp"
#include "ipc/ring.hpp"
#include "ipc/segment.hpp"
#include "machine.hpp"
#include "platform/cpu.hpp"
#include "platform/fd.hpp"
#include "rpc/wire.hpp"
#include "subject.hpp"

namespace bulkhead::bench {
namespace {

constexpr Payload ping{};

void must(bool done) {
  if (!done) std::abort();
}

unsigned warm_up_of(unsigned rounds) { return rounds / 10; }

template <class Round>
Samples time_rounds(unsigned rounds, Round round) {
  for (unsigned i = 0; i < warm_up_of(rounds); ++i) round();
  Samples samples;
  auto last = Clock::now();
  for (unsigned i = 0; i < rounds; ++i) {
    round();
    const auto now = Clock::now();
    samples.add(now - last);
    last = now;
  }
  return samples;
}

std::optional<PinnedTo> pin(Pinning pinning, int nth) {
  if (pinning == Pinning::free) return std::nullopt;
  return std::optional<PinnedTo>(std::in_place, pinning == Pinning::one_core ? 0 : nth);
}

struct RingEnd {
  Pinning pinning;
  ipc::RingWriter writer;
  ipc::RingReader reader;
  ipc::Buffer frame = {};

  void send(std::span<const std::byte> message) {
    must(writer.try_write(message, {}) == ipc::Write::done);
  }
  // The next frame, taken out of the ring.
  void take() {
    frame.clear();
    must(reader.read(frame) == ipc::Read::frame);
  }
  void receive() {
    while (!reader.ready())
      pinning == Pinning::one_core ? (void)::sched_yield() : platform::cpu_relax();
    take();
  }
};

RingEnd app_end(const ipc::Segment& segment, Pinning pinning = Pinning::free) {
  return {pinning, ipc::RingWriter(segment.to_worker()), ipc::RingReader(segment.to_app())};
}
RingEnd worker_end(const ipc::Segment& segment, Pinning pinning = Pinning::free) {
  return {pinning, ipc::RingWriter(segment.to_app()), ipc::RingReader(segment.to_worker())};
}

void echo(RingEnd end, unsigned messages) {
  for (unsigned i = 0; i < messages; ++i) end.receive(), end.send(end.frame);
}

void send_byte(const platform::Pipe& pipe) { must(::write(pipe.write.get(), "", 1) == 1); }
void receive_byte(const platform::Pipe& pipe) {
  std::array<std::byte, 1> byte{};
  must(platform::read_some(pipe.read, byte).size == 1);
}

double ring_throughput_once(unsigned messages, unsigned open) {
  const auto segment = ipc::Segment::create();
  const ForkedChild child([&] { echo(worker_end(segment), messages); });
  RingEnd end = app_end(segment);
  const std::vector<std::byte> message(sizeof(rpc::Head) + sizeof(Payload));
  const auto start = Clock::now();
  for (unsigned sent = 0, got = 0; got < messages;) {
    for (; sent < messages && sent - got < open; ++sent) end.send(message);
    end.receive();
    for (++got; end.reader.ready(); ++got) end.take();
  }
  return messages / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Samples ring_round_trips(Pinning pinning, unsigned rounds) {
  const auto segment = ipc::Segment::create();
  const ForkedChild child([&] {
    const auto pinned = pin(pinning, 1);
    echo(worker_end(segment, pinning), rounds + warm_up_of(rounds));
  });
  const auto pinned = pin(pinning, 0);
  RingEnd end = app_end(segment, pinning);
  return time_rounds(rounds, [&] { end.send(std::as_bytes(std::span(ping))), end.receive(); });
}

Samples pipe_round_trips(unsigned rounds) {
  const platform::Pipe there = platform::make_pipe(), back = platform::make_pipe();
  const PinnedTo pinned(0);
  const ForkedChild child([&] {
    for (unsigned i = 0; i < rounds + warm_up_of(rounds); ++i) receive_byte(there), send_byte(back);
  });
  return time_rounds(rounds, [&] { send_byte(there), receive_byte(back); });
}

double ring_throughput(unsigned messages, unsigned open, unsigned rounds) {
  double best = 0;
  for (unsigned i = 0; i < rounds; ++i) best = std::max(best, ring_throughput_once(messages, open));
  return best;
}

Samples copies(std::size_t bytes, unsigned times) {
  const std::vector<char> from(bytes, 'x');
  std::vector<char> to(bytes);
  return time_each(times, [&] {
    std::memcpy(to.data(), from.data(), bytes);
    asm volatile("" : : "r"(to.data()) : "memory");  // somebody might look
  });
}

}  // namespace bulkhead::bench
