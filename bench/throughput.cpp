// How many calls a second one worker answers while a thread keeps 256 of them open.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <vector>

#include "ipc/ring.hpp"
#include "ipc/segment.hpp"
#include "platform/cpu.hpp"
#include "rpc/wire.hpp"
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t open_calls = 256;

using Answer = Future<ResponseOf<Echo>>;

void call_many(Worker<Benched>& worker, unsigned calls) {
  std::deque<Answer> answers;
  for (unsigned i = 0; i < calls; ++i) {
    if (answers.size() == open_calls) {
      answers.front().get();
      answers.pop_front();
    }
    answers.push_back(worker.run(Echo{}));
  }
  for (Answer& answer : answers) answer.get();
}

void must(bool done) {
  if (!done) std::abort();
}

// The next frame, taken out of the ring.
void take(ipc::RingReader& reader, ipc::Buffer& frame) {
  frame.clear();
  must(reader.read(frame) == ipc::Read::frame);
}

void echo(const ipc::Segment& segment, unsigned messages) {
  ipc::RingReader reader(segment.to_worker());
  ipc::RingWriter writer(segment.to_app());
  ipc::Buffer frame;
  for (unsigned i = 0; i < messages; ++i) {
    while (!reader.ready()) platform::cpu_relax();
    take(reader, frame);
    must(writer.try_write(frame, {}) == ipc::Write::done);
  }
}

// Messages as large as those calls with their heads, there and back, as many open at a time.
double bare_rings_per_second(unsigned messages) {
  const auto segment = ipc::Segment::create();
  const ForkedChild child([&] { echo(segment, messages); });
  ipc::RingWriter writer(segment.to_worker());
  ipc::RingReader reader(segment.to_app());
  const std::vector<std::byte> message(sizeof(rpc::Head) + sizeof(Echo));
  ipc::Buffer frame;
  const auto start = Clock::now();
  for (unsigned sent = 0, got = 0; got < messages;) {
    for (; sent < messages && sent - got < open_calls; ++sent)
      must(writer.try_write(message, {}) == ipc::Write::done);
    while (!reader.ready()) platform::cpu_relax();
    for (; reader.ready(); ++got) take(reader, frame);
  }
  return messages / std::chrono::duration<double>(Clock::now() - start).count();
}

// The best of some rounds counts, on either side: what disturbs a round is not what it measures.
void keep_many_open(benchmark::State& state, Session& session) {
  const unsigned calls = session.times(400'000, 40'000);
  double ours = 0, bare = 0;
  auto worker = Worker<Benched>::start();
  call_many(worker, calls / 10);
  for (auto _ : state) {
    const auto start = Clock::now();
    call_many(worker, calls);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    state.SetIterationTime(seconds);
    ours = std::max(ours, calls / seconds);
    bare = std::max(bare, bare_rings_per_second(calls));
  }
  session.table.add(state, "per_second",
                    {"256 calls open, one worker", ours, bare, "calls/s",
                     "bare rings there and back, 256 messages open", true});
}

}  // namespace

void register_throughput(Session& session) {
  benchmark::RegisterBenchmark(
      "throughput/256_open",
      [&session](benchmark::State& state) { keep_many_open(state, session); })
      ->Iterations(session.times(10, 3))
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace bulkhead::bench
