#include "worker/report.hpp"

#include <csignal>
#include <string_view>

#include "platform/host.hpp"
#include "process/output.hpp"

namespace bulkhead::worker {

using How = platform::Ending::How;

ExitStatus status_of(const platform::Ending& ending) {
  switch (ending.how) {
    case How::exited:
      return {.code = ending.status};
    case How::killed:
      return {.signal = ending.status};
    case How::dumped:
      return {.signal = ending.status, .core_dumped = true};
    case How::unknown:
      break;
  }
  return {};
}

Cause cause_of(const platform::Ending& ending) {
  switch (ending.how) {
    case How::exited:
      return Cause::exited;
    case How::killed:
    case How::dumped:
      return Cause::signaled;
    case How::unknown:
      break;
  }
  return Cause::unknown;
}

bool out_of_memory(const platform::Ending& ending, std::optional<std::uint64_t> before,
                   std::optional<std::uint64_t> now) {
  if (ending.how != How::killed || ending.status != SIGKILL) return false;
  if (ending.oom_kills >= 0) return ending.oom_kills > 0;
  return before && now && *now > *before;
}

std::string how_it_ended(const CrashReport& report, const std::string& violation) {
  switch (report.cause) {
    case Cause::deadline:
      return "was killed for passing a deadline";
    case Cause::cancelled:
      return "was killed for not stopping when it was asked to";
    case Cause::protocol_violation:
      return "was killed for breaking the protocol" +
             (violation.empty() ? "" : " (" + violation + ")");
    case Cause::connect_timeout:
      return "was killed for not being ready in time";
    case Cause::shut_down:
      return "was shut down";
    case Cause::recycled:
      return "was replaced after it had served for long enough";
    case Cause::out_of_memory:
      return "was killed by the kernel, which was out of memory";
    case Cause::limit:
      return "was ended at a limit (Sandbox::" + report.limit + ")";
    case Cause::stopped_beating:
      return "was killed for not beating any more";
    case Cause::fork_server_lost:
      return "died with its fork server";
    case Cause::exited:
    case Cause::signaled:
    case Cause::unknown:
      break;
  }
  if (report.status.signal)
    return "died of " + platform::signal_name(*report.status.signal) +
           (report.status.core_dumped ? ", and dumped its core," : "");
  if (report.status.code) return "exited with code " + std::to_string(*report.status.code);
  return "ended, and how is not known";
}

std::string last_words(const CrashReport& report) {
  constexpr std::size_t longest = 300;
  std::string_view tail = report.stderr_tail;
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.remove_suffix(1);
  tail = tail.substr(tail.rfind('\n') + 1);
  if (tail.empty()) return {};
  return "; its last words: " + process::printable(tail.substr(0, longest));
}

namespace {

std::string name_of(const CrashReport& report) {
  return report.service + " worker " + std::to_string(report.pid);
}

}  // namespace

Error crash_error(std::shared_ptr<const CrashReport> report, const RunningCall* call,
                  const std::string& violation) {
  std::string sentence = name_of(*report) + " " + how_it_ended(*report, violation);
  if (call)
    sentence += " while it ran " + call->request + " (call " + std::to_string(call->id) + ", " +
                std::to_string(call->age.count()) + " ms, attempt " +
                std::to_string(call->attempt) + ")";
  if (call && report->running.size() > 1)
    sentence += ", and " + std::to_string(report->running.size() - 1) + " more beside it";
  return Error(errc::worker_crashed, std::move(sentence), {}, std::move(report));
}

Error start_error(std::shared_ptr<const CrashReport> report) {
  const errc code =
      report->cause == Cause::connect_timeout ? errc::connect_timeout : errc::start_failed;
  std::string sentence = name_of(*report) + " " + how_it_ended(*report) +
                         (code == errc::start_failed ? " before it was ready" : "") +
                         last_words(*report);
  return Error(code, std::move(sentence), {}, std::move(report));
}

}  // namespace bulkhead::worker
