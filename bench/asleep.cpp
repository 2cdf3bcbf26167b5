// Calls that come after a pause: the worker sleeps, and the caller too before its answer comes.
// Ours and the floor take turns, so that a busy moment meets both.
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "floor.hpp"
#include "ours.hpp"
#include "rows.hpp"
#include "sleeper.hpp"

namespace bulkhead::bench {
namespace {

constexpr unsigned block = 50;  // calls in a row

// Its worker is busy for so long, and says when that was.
struct StayBusy {
  using Response = std::array<std::int64_t, 2>;
  std::int64_t nanoseconds = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(nanoseconds);
  }
};

struct Asleep : Service<"asleep", StayBusy, Pin> {};

Visit visit(Worker<Asleep>& worker, std::chrono::nanoseconds busy) {
  const auto [began, ended] = worker.run(StayBusy{busy.count()}).get();
  return {Clock::time_point(Clock::duration(began)), Clock::time_point(Clock::duration(ended))};
}

// One each millisecond, however long it takes.
template <class Call>
void add_rhythmic(Samples& samples, unsigned calls, Call call) {
  constexpr long millisecond = 1'000'000, second = 1000 * millisecond;
  timespec next{};
  ::clock_gettime(CLOCK_MONOTONIC, &next);
  for (unsigned i = 0; i < calls; ++i) {
    next.tv_nsec += millisecond;
    if (next.tv_nsec >= second) ++next.tv_sec, next.tv_nsec -= second;
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
    const auto start = Clock::now();
    call();
    samples.add(Clock::now() - start);
  }
}

void measure_rhythm(Figures& figures, Effort effort) {
  Sleeper sleeper(WakeUp::socketpair);
  auto worker = our_worker();
  worker.call();
  Samples ours, floor;
  for (unsigned i = 0; i < effort.times(3000, 100); i += block) {
    add_rhythmic(ours, block, [&] { worker.call(); });
    add_rhythmic(floor, block, [&] { sleeper.call(); });
  }
  figures.set_beside("call_each_ms_p50_us", ours.p50_us(), floor.p50_us());
  figures.set_beside("call_each_ms_p99_us", ours.p99_us(), floor.p99_us());
}

// Only the two ways, each to a core that idles: what the other side is busy with lasts longer than
// anybody spins.
template <class Call>
void add_wake_ups(Samples& samples, Call call) {
  constexpr std::chrono::microseconds pause{300}, busy{200};
  for (unsigned i = 0; i < block; ++i) {
    std::this_thread::sleep_for(pause);
    const auto start = Clock::now();
    const Visit visit = call(busy);
    samples.add(visit.began - start + (Clock::now() - visit.ended));
  }
}

void measure_wake_ups(Figures& figures, Effort effort) {
  struct Floor {
    std::string name;
    Sleeper sleeper;
    Samples samples = {};
  };
  std::array<Floor, 3> floors{{{"socketpair", Sleeper(WakeUp::socketpair, 1)},
                               {"eventfd", Sleeper(WakeUp::eventfd, 1)},
                               {"futex", Sleeper(WakeUp::futex, 1)}}};
  auto worker = Worker<Asleep>::start();
  worker.run(Pin{1}).get();
  const PinnedTo pinned(0);
  Samples ours;
  for (unsigned i = 0; i < effort.times(1500, 100); i += block) {
    add_wake_ups(ours, [&](auto busy) { return visit(worker, busy); });
    for (Floor& floor : floors)
      add_wake_ups(floor.samples, [&](auto busy) { return floor.sleeper.call(busy); });
  }
  double best = floors[0].samples.p50_us();
  for (Floor& floor : floors) {
    const double p50 = floor.samples.p50_us();
    best = std::min(best, p50);
    figures.set_beside("both_asleep_to_" + floor.name + "_p50_us", ours.p50_us(), p50);
  }
  figures.set_beside("both_asleep_p50_us", ours.p50_us(), best);
}

}  // namespace

void serve_asleep_if_worker() {
  bulkhead::serve_if_worker<Asleep>(
      [](const StayBusy& request) {
        const Visit visit = stay_busy(std::chrono::nanoseconds(request.nanoseconds));
        return StayBusy::Response{visit.began.time_since_epoch().count(),
                                  visit.ended.time_since_epoch().count()};
      },
      [](const Pin& request) { pin_to(request.nth); });
}

void measure_asleep(Figures& figures, Effort effort) {
  measure_rhythm(figures, effort);
  measure_wake_ups(figures, effort);
}

}  // namespace bulkhead::bench
