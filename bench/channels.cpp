// How many small items a second go through a channel, and how many progress values a handler tells,
// beside calls of that size.
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

struct Report {
  using Response = void;
  using Progress = Payload;
  unsigned values = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(values);
  }
};

struct Streams : Service<"bench streams", Stream, Swallow, Report> {};

void stream(Stream request) {
  for (unsigned i = 0; i < request.items; ++i) request.out.send({});
}

unsigned swallow(Swallow request) {
  unsigned items = 0;
  for ([[maybe_unused]] const Payload& item : request.in) ++items;
  return items;
}

void report(const Report& request, Context& context) {
  const Payload value{};
  for (unsigned i = 0; i < request.values; ++i) context.progress(value);
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

struct Told {
  double told, heard;  // a second
};
Told progress_per_s(Worker<Streams>& worker, unsigned values) {
  unsigned heard = 0;
  const auto start = Clock::now();
  worker.run(Report{values}, {}, [&heard](const Payload&) { ++heard; }).get();
  const double seconds = Duration(Clock::now() - start).count();
  return {values / seconds, heard / seconds};
}

}  // namespace

void serve_channels_if_worker() { bulkhead::serve_if_worker<Streams>(stream, swallow, report); }

void measure_channels(Figures& figures, Effort effort) {
  const unsigned items = effort.times(1'000'000, 100'000);
  auto worker = Worker<Streams>::start();
  auto caller = our_worker();
  double to_app = 0, to_worker = 0, told = 0, heard = 0, calls = 0;
  for (unsigned i = 0; i < effort.times(10, 3); ++i) {
    to_app = std::max(to_app, to_app_per_s(worker, items));
    to_worker = std::max(to_worker, to_worker_per_s(worker, items));
    const Told progress = progress_per_s(worker, items);
    told = std::max(told, progress.told);
    heard = std::max(heard, progress.heard);
    calls = std::max(calls, throughput(caller, items / 5, 1));
  }
  figures.set_beside("channel_to_app_per_s", to_app, calls);
  figures.set_beside("channel_to_worker_per_s", to_worker, calls);
  figures.set_beside("progress_told_per_s", told, calls);
  figures.set_beside("progress_heard_per_s", heard, calls);
}

}  // namespace bulkhead::bench
