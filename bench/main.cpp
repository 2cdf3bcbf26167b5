// Bulkhead's figures beside what the machine can do at best, as JSON; run.py makes a table of them.
// README.md says what each row is.
#include <spdlog/logger.h>
#include <unistd.h>

#include <bulkhead/log.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "machine.hpp"
#include "ours.hpp"
#include "rows.hpp"

namespace {

using namespace bulkhead::bench;

int measure(Effort effort) {
  // Workers crash here on purpose.
  bulkhead::set_logger(std::make_shared<spdlog::logger>("bulkhead"));
  Figures figures;
  figures.set("ours", "version", BULKHEAD_VERSION);
  measure_calls(figures, effort);
  measure_asleep(figures, effort);
  measure_busy(figures, effort);
  measure_threads(figures, effort);
  measure_async(figures, effort);
  measure_starts(figures, effort);
  measure_recovery(figures, effort);
  measure_crashes(figures, effort);
  measure_spare(figures, effort);
  measure_preloaded(figures, effort);
  measure_bytes(figures, effort);
  measure_channels(figures, effort);
  // Last: bare forks of a large program are slow.
  measure_texts(figures, effort);
  measure_curves(figures, effort);
  figures.print();
  return 0;
}

int idle() {
  auto pool = our_pool();
  stay_idle(pool.worker());
  return 0;
}

// What a worker is at least: a fork of this program.
int idle_fork() {
  const ForkedChild child([] { ::pause(); });
  stay_idle(child.pid());
  ::kill(child.pid(), SIGKILL);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  serve_if_worker();
  serve_asleep_if_worker();
  serve_preloaded_if_worker();
  serve_channels_if_worker();
  serve_crashes_if_worker();
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "measure") return measure({});
  if (what == "measure-quickly") return measure({.quick = true});
  if (what == "idle") return idle();
  if (what == "idle-floor") return idle_fork();
  std::fprintf(stderr, "usage: %s measure|measure-quickly|idle|idle-floor\n", argv[0]);
  return 64;
}
