// How long a call takes that carries a large buffer, of which both sides touch the ends only.
#include "service.hpp"
#include "table.hpp"

namespace bulkhead::bench {
namespace {

constexpr std::size_t size = std::size_t{64} << 20;
constexpr unsigned warm_up_calls = 1000;

template <class CallOnce>
double median_ns(unsigned calls, CallOnce call_once) {
  for (unsigned i = 0; i < warm_up_calls; ++i) call_once();
  Samples samples;
  auto last = Clock::now();
  for (unsigned i = 0; i < calls; ++i) {
    call_once();
    const auto now = Clock::now();
    samples.add(now - last);
    last = now;
  }
  return samples.median();
}

void touch(const MutableBytes& bytes) { bytes.span().front() = bytes.span().back() = std::byte{1}; }

void call_with_bytes(benchmark::State& state, Session& session, unsigned calls) {
  auto worker = Worker<Benched>::start();
  double small = 0, there = 0, back = 0, same = 0;
  for (auto _ : state) {
    small = median_ns(calls, [&] { worker.run(Echo{}).get(); });
    there = median_ns(calls, [&] {
      MutableBytes bytes = worker.make_bytes(size);
      touch(bytes);
      worker.run(EchoBytes{std::move(bytes)}).get();
    });
    back = median_ns(calls, [&] { worker.run(MakeBytes{size}).get(); });
    MutableBytes bytes = worker.make_bytes(size);
    touch(bytes);
    const Bytes sent = std::move(bytes);
    same = median_ns(calls, [&] { worker.run(EchoBytes{sent}).get(); });
  }
  const auto add = [&](const char* counter, const char* what, double ns) {
    session.table.add(state, counter, {what, ns, small, "ns", "call of 64 bytes, p50"});
  };
  add("there_ns", "64 MiB made, sent and echoed, p50", there);
  add("back_ns", "64 MiB made by the worker, p50", back);
  add("same_ns", "the same 64 MiB sent and echoed, p50", same);
}

}  // namespace

void register_bytes(Session& session) {
  const unsigned calls = session.times(100'000, 5'000);
  benchmark::RegisterBenchmark("bytes", [&session, calls](benchmark::State& state) {
    call_with_bytes(state, session, calls);
  })->Iterations(1);
}

}  // namespace bulkhead::bench
