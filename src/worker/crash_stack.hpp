// The stack of a worker that crashed: addresses, and the names for them once somebody asks. What
// the addresses say comes from the dead worker and is trusted in nothing: only files that its fork
// server runs are opened.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "bulkhead/error.hpp"
#include "platform/backtrace.hpp"
#include "platform/modules.hpp"

namespace bulkhead::worker {

// Of one report. Thread safe.
class CrashStack {
 public:
  // `trusted`: null where it is not known what may be opened.
  CrashStack(std::vector<platform::Frame> frames, std::shared_ptr<const platform::Modules> trusted)
      : frames_(std::move(frames)), trusted_(std::move(trusted)) {}

  // `report` is the one that it belongs to. The first time, it looks the names up.
  const CrashReport& explain(const CrashReport& report);

 private:
  std::vector<std::string> lines() const;

  const std::vector<platform::Frame> frames_;
  const std::shared_ptr<const platform::Modules> trusted_;
  std::once_flag once_;
  CrashReport explained_;
};

}  // namespace bulkhead::worker

namespace bulkhead::detail {

struct Reports {
  // As Error::crash(), of which it is a part, without looking anything up: for the library itself.
  static const std::shared_ptr<const CrashReport>& of(const Error& error) { return error.crash_; }
  // With its stack.
  static const CrashReport& explained(const CrashReport& report) {
    return report.raw_stack ? report.raw_stack->explain(report) : report;
  }
};

}  // namespace bulkhead::detail
