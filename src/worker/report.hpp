// What is said of processes that ended: crash reports, and the sentences of errors about them.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "bulkhead/error.hpp"
#include "platform/pidfd.hpp"

namespace bulkhead::worker {

ExitStatus status_of(const platform::Ending& ending);
// As the kernel tells it: exited, signaled or unknown.
Cause cause_of(const platform::Ending& ending);

// Whether the kernel killed it for want of memory, as far as that can be told: by its cgroup, else
// by how many processes of the machine were killed so before it was started, and by now.
bool out_of_memory(const platform::Ending& ending, std::optional<std::uint64_t> before,
                   std::optional<std::uint64_t> now);

// "died of SIGSEGV", "exited with code 3", "was ended for breaking the protocol (…)".
std::string how_it_ended(const CrashReport& report, const std::string& violation = {});
// "; its last words: …", or nothing.
std::string last_words(const CrashReport& report);

// The error of one call, or of an idle worker's owner, when its worker ended:
// "thumbnailer worker 4711 died of SIGSEGV while it ran Thumbnail (call 17, 12 ms, attempt 1)";
// if it ran more than this one, that follows.
Error crash_error(std::shared_ptr<const CrashReport> report, const RunningCall* call,
                  const std::string& violation = {});
// The same for a worker that ended before it was ready.
Error start_error(std::shared_ptr<const CrashReport> report);

}  // namespace bulkhead::worker
