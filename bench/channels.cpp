// How many small items a second go through a channel, beside calls of that size in the same worker.
#include <algorithm>

#include "ours.hpp"
#include "rows.hpp"

namespace bulkhead::bench {
namespace {

struct Stream {
  using Response = void;
  Sender<Payload> out = {};
  unsigned items = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(out, items);
  }
};

struct Swallow {
  using Response = unsigned;
  Receiver<Payload> in = {};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(in);
  }
};

struct Streams : Service<"bench streams", Stream, Swallow> {};

void stream(Stream request) {
  for (unsigned i = 0; i < request.items; ++i) request.out.send({});
}

unsigned swallow(Swallow request) {
  unsigned items = 0;
  for ([[maybe_unused]] const Payload& item : request.in) ++items;
  return items;
}

using Duration = std::chrono::duration<double>;

double to_app_per_s(Worker<Streams>& worker, unsigned items) {
  auto [sender, receiver] = channel<Payload>(open_calls);
  const auto start = Clock::now();
  auto call = worker.run(Stream{std::move(sender), items});
  while (receiver.receive()) continue;
  call.get();
  return items / Duration(Clock::now() - start).count();
}

double to_worker_per_s(Worker<Streams>& worker, unsigned items) {
  auto [sender, receiver] = channel<Payload>(open_calls);
  const auto start = Clock::now();
  auto call = worker.run(Swallow{std::move(receiver)});
  for (unsigned i = 0; i < items; ++i) sender.send({});
  sender.close();
  call.get();
  return items / Duration(Clock::now() - start).count();
}

}  // namespace

void serve_channels_if_worker() { bulkhead::serve_if_worker<Streams>(stream, swallow); }

void measure_channels(Figures& figures, Effort effort) {
  const unsigned items = effort.times(1'000'000, 100'000);
  auto worker = Worker<Streams>::start();
  auto caller = our_worker();
  double to_app = 0, to_worker = 0, calls = 0;
  for (unsigned i = 0; i < effort.times(10, 3); ++i) {
    to_app = std::max(to_app, to_app_per_s(worker, items));
    to_worker = std::max(to_worker, to_worker_per_s(worker, items));
    calls = std::max(calls, throughput(caller, items / 5, 1));
  }
  figures.set_beside("channel_to_app_per_s", to_app, calls);
  figures.set_beside("channel_to_worker_per_s", to_worker, calls);
}

}  // namespace bulkhead::bench
