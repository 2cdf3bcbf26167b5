#include "worker/crash_teller.hpp"

#include "platform/backtrace.hpp"
#include "platform/crash_handler.hpp"
#include "platform/proc.hpp"

namespace bulkhead::worker {
namespace {

ipc::CrashNote* note_ = nullptr;
const ipc::Doorbell* app_ = nullptr;

bool add(void* note, const platform::Frame& frame) {
  return ipc::add_to_note(*static_cast<ipc::CrashNote*>(note), frame);
}

void tell(const platform::Crash& crash) noexcept {
  ipc::begin_note(*note_, crash.signal);
  platform::walk_interrupted(crash.context, add, note_);
  if (platform::dumps_core()) return;  // it is to be left alone until that is done
  ipc::end_note(*note_, platform::own_usage());
  app_->ring();
}

}  // namespace

void tell_of_crashes(ipc::CrashNote& note, const ipc::Doorbell& app) {
  note_ = &note;
  app_ = &app;
  platform::prepare_backtrace();
  platform::handle_crashes(tell);
}

}  // namespace bulkhead::worker
