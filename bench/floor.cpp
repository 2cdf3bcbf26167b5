#include "floor.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <vector>

#include "ipc/link.hpp"
#include "platform/cpu.hpp"
#include "platform/fd.hpp"

namespace bulkhead::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr std::array<std::byte, 64> ping{};

// A forked process that runs `body` and ends; waited for by the destructor.
class Child {
 public:
  explicit Child(const std::function<void()>& body) : pid_(::fork()) {
    if (pid_ < 0) platform::throw_errno("cannot fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { ::waitpid(pid_, nullptr, 0); }

 private:
  pid_t pid_;
};

// Keeps the calling thread on the n-th of the cores that it may use, until the end of the block.
class Pinned {
 public:
  Pinned(Pinning pinning, int nth) {
    ::sched_getaffinity(0, sizeof before_, &before_);
    if (pinning == Pinning::free) return;
    if (pinning == Pinning::one_core) nth = 0;
    cpu_set_t only;
    CPU_ZERO(&only);
    for (std::size_t core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &before_) && nth-- == 0) CPU_SET(core, &only);
    if (::sched_setaffinity(0, sizeof only, &only) != 0)
      platform::throw_errno("cannot pin the benchmark: are there two cores?");
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

template <class Round>
Latency measure(unsigned rounds, Round round) {
  for (unsigned i = 0; i < rounds / 10; ++i) round();
  std::vector<double> took(rounds);
  auto last = Clock::now();
  for (double& one : took) {
    round();
    const auto now = Clock::now();
    one = Nanoseconds(now - last).count();
    last = now;
  }
  std::sort(took.begin(), took.end());
  return {took[rounds / 2], took[rounds - 1 - rounds / 100]};
}
unsigned all_rounds(unsigned rounds) { return rounds + rounds / 10; }

template <class Condition>
void spin_until(Pinning pinning, Condition condition) {
  while (!condition()) pinning == Pinning::one_core ? (void)::sched_yield() : platform::cpu_relax();
}

void must(bool done) {
  if (!done) std::abort();
}

struct RingEnd {
  Pinning pinning;
  ipc::RingWriter writer;
  ipc::RingReader reader;
  ipc::Buffer buffer = {};

  void send() { must(writer.try_write(ping, {}) == ipc::Write::done); }
  void receive() {
    buffer.clear();
    spin_until(pinning, [&] { return reader.ready(); });
    must(reader.read(buffer) == ipc::Read::frame);
  }
};

void receive_one(ipc::Link& link, ipc::Buffer& buffer) {
  buffer.clear();
  must(link.wait_for_frame() == ipc::Wake::ready);
  must(link.receive(buffer) == ipc::Read::frame);
}

void send_byte(const platform::Pipe& pipe) { must(::write(pipe.write.get(), "", 1) == 1); }
void receive_byte(const platform::Pipe& pipe) {
  std::array<std::byte, 1> byte{};
  must(platform::read_some(pipe.read, byte).size == 1);
}

template <class Once>
double median_us(unsigned times, Once once) {
  std::vector<double> took(times);
  for (double& one : took) {
    const auto start = Clock::now();
    one = Microseconds(once() - start).count();
  }
  std::nth_element(took.begin(), took.begin() + times / 2, took.end());
  return took[times / 2];
}

}  // namespace

Latency bare_ring_round_trip(Pinning pinning, unsigned rounds) {
  const auto segment = ipc::Segment::create();
  const Child child([&] {
    const Pinned pinned(pinning, 1);
    RingEnd end{pinning, ipc::RingWriter(segment.to_app()), ipc::RingReader(segment.to_worker())};
    for (unsigned i = 0; i < all_rounds(rounds); ++i) end.receive(), end.send();
  });
  const Pinned pinned(pinning, 0);
  RingEnd end{pinning, ipc::RingWriter(segment.to_worker()), ipc::RingReader(segment.to_app())};
  return measure(rounds, [&] { end.send(), end.receive(); });
}

Latency link_round_trip(Pinning pinning, unsigned rounds) {
  auto segment = ipc::Segment::create();
  auto [app_bell, worker_bell] = ipc::Doorbell::make();
  const Child child([&, &worker_end = worker_bell] {
    const Pinned pinned(pinning, 1);
    ipc::Link link(ipc::End::worker, ipc::Segment::open(segment.name()), std::move(worker_end));
    ipc::Buffer buffer;
    for (unsigned i = 0; i < all_rounds(rounds); ++i) {
      receive_one(link, buffer);
      must(link.send(buffer, {}) == ipc::Write::done);
    }
  });
  const Pinned pinned(pinning, 0);
  ipc::Link link(ipc::End::app, std::move(segment), std::move(app_bell));
  ipc::Buffer buffer;
  return measure(rounds, [&] {
    must(link.send(ping, {}) == ipc::Write::done);
    receive_one(link, buffer);
  });
}

Latency pipe_round_trip(Pinning pinning, unsigned rounds) {
  const platform::Pipe there = platform::make_pipe(), back = platform::make_pipe();
  const Child child([&] {
    const Pinned pinned(pinning, 1);
    for (unsigned i = 0; i < all_rounds(rounds); ++i) receive_byte(there), send_byte(back);
  });
  const Pinned pinned(pinning, 0);
  return measure(rounds, [&] { send_byte(there), receive_byte(back); });
}

double bare_ring_throughput(std::size_t bytes, std::size_t ring_bytes) {
  const auto segment = ipc::Segment::create({.ring_bytes = ring_bytes});
  const platform::Pipe done = platform::make_pipe();
  const Child child([&] {
    ipc::RingReader reader(segment.to_worker());
    ipc::Buffer buffer;
    for (std::size_t got = 0; got < bytes; got += buffer.size()) {
      buffer.clear();
      spin_until(Pinning::free, [&] { return reader.ready(); });
      must(reader.read(buffer) != ipc::Read::violation);
    }
    send_byte(done);
  });
  ipc::RingWriter writer(segment.to_worker());
  const std::vector<std::byte> data(writer.largest_payload(), std::byte{1});
  const auto start = Clock::now();
  for (std::size_t sent = 0; sent < bytes;) {
    const std::size_t size = std::min(data.size(), bytes - sent);
    spin_until(Pinning::free, [&] { return writer.has_room(size); });
    must(writer.try_write(std::span(data).first(size), {}) == ipc::Write::done);
    sent += size;
  }
  receive_byte(done);
  return static_cast<double>(bytes) / std::chrono::duration<double>(Clock::now() - start).count();
}

double bare_fork_us(unsigned times) {
  const platform::Pipe pipe = platform::make_pipe();
  return median_us(times, [&] {
    const Child child([&] { send_byte(pipe); });
    receive_byte(pipe);
    return Clock::now();
  });
}

double bare_exec_us(unsigned times) {
  return median_us(times, [] {
    const pid_t pid = ::vfork();
    if (pid == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    ::waitpid(pid, nullptr, 0);
    return Clock::now();
  });
}

}  // namespace bulkhead::bench
