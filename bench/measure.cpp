#include "measure.hpp"

#include <stdexcept>

namespace bulkhead::bench {

Samples time_starts(const StartSubject& start, unsigned times) {
  Samples samples;
  for (unsigned i = 0; i < times; ++i) {
    const auto begin = Clock::now();
    const auto subject = start();
    subject->call();
    samples.add(Clock::now() - begin);
  }
  return samples;
}

Samples time_calls(Subject& subject, unsigned calls) {
  for (unsigned i = 0; i < 1000; ++i) subject.call();
  Samples samples;
  auto last = Clock::now();
  for (unsigned i = 0; i < calls; ++i) {
    subject.call();
    const auto now = Clock::now();
    samples.add(now - last);
    last = now;
  }
  return samples;
}

double throughput(Subject& subject, unsigned calls, unsigned rounds) {
  subject.call_many(calls / 10, open_calls);
  double best = 0;
  for (unsigned i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    subject.call_many(calls, open_calls);
    const std::chrono::duration<double> took = Clock::now() - start;
    best = std::max(best, calls / took.count());
  }
  return best;
}

Samples time_text(Subject& subject, std::size_t bytes, unsigned times) {
  std::string text(bytes, 'x');
  subject.call_with(text);
  Samples samples = time_each(times, [&] { subject.call_with(text); });
  if (text.size() != bytes) throw std::runtime_error("a text came back in another size");
  return samples;
}

}  // namespace bulkhead::bench
