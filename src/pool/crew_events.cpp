// What a crew tells its owner, and the log.
#include <spdlog/spdlog.h>

#include <utility>

#include "platform/log.hpp"
#include "pool/crew.hpp"
#include "process/output.hpp"
#include "worker/report.hpp"

namespace bulkhead::pool {

namespace {

// Crashes, and pools that are broken, are in the log anyway.
spdlog::level::level_enum level_of(EventKind kind) {
  switch (kind) {
    case EventKind::suspect:
      return spdlog::level::warn;
    case EventKind::recycled:
    case EventKind::recovered:
    case EventKind::healed:
      return spdlog::level::info;
    case EventKind::started:
    case EventKind::ready:
    case EventKind::stopped:
      return spdlog::level::debug;
    case EventKind::output:
    case EventKind::call_settled:
    case EventKind::crashed:
    case EventKind::broken:
      break;
  }
  return spdlog::level::off;
}

}  // namespace

void Crew::tell(EventKind kind, const worker::WorkerProcess& worker) {
  tell({.kind = kind, .service = plan_.contract.service, .pid = worker.pid()});
}

void Crew::tell_end(const worker::WorkerProcess& worker, Duty duty, bool explained,
                    const std::shared_ptr<const CrashReport>& report, const Error& why) {
  if (worker.pid() == 0) return;  // it was never there
  const bool asked = over() || (duty == Duty::leaving && !explained);
  const EventKind kind = !asked                             ? EventKind::crashed
                         : report->cause == Cause::recycled ? EventKind::recycled
                                                            : EventKind::stopped;
  tell({.kind = kind,
        .service = plan_.contract.service,
        .pid = worker.pid(),
        .report = report,
        .text = why.what()});
}

void Crew::worker_wrote(worker::WorkerProcess& worker, int number, std::string_view line) {
  const std::string text = process::printable(line);
  if (plan_.options.output == WorkerOutput::event)
    return tell({.kind = EventKind::output,
                 .service = plan_.contract.service,
                 .pid = worker.pid(),
                 .descriptor = number,
                 .text = text});
  const auto admitted = line_rate_.ask(Clock::now());
  const auto logger = platform::logger();
  if (admitted.dropped > 0)
    logger->warn("{} lines of {} workers were not logged: they write too many", admitted.dropped,
                 plan_.contract.service);
  if (admitted.yes)
    logger->log(number == 1 ? spdlog::level::info : spdlog::level::warn, "{} wrote: {}",
                worker.name(), text);
}

void Crew::tell(Event&& event) {
  if (event.text.empty() && event.kind != EventKind::output)
    event.text = event.service +
                 (event.pid == 0 ? " pool" : " worker " + std::to_string(event.pid)) + ": " +
                 to_string(event.kind);
  const auto level = level_of(event.kind);
  if (level != spdlog::level::off) platform::logger()->log(level, "{}", event.text);
  if (events_) events_->tell(std::move(event));
}

}  // namespace bulkhead::pool
