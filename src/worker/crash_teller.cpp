#include "worker/crash_teller.hpp"

#include "platform/backtrace.hpp"
#include "platform/crash_handler.hpp"

namespace bulkhead::worker {
namespace {

ipc::CrashNote* note_ = nullptr;

bool add(void* note, const platform::Frame& frame) {
  return ipc::add_to_note(*static_cast<ipc::CrashNote*>(note), frame);
}

void tell(const platform::Crash& crash) noexcept {
  ipc::begin_note(*note_, crash.signal);
  platform::walk_interrupted(crash.context, add, note_);
}

}  // namespace

void tell_of_crashes(ipc::CrashNote& note) {
  note_ = &note;
  platform::prepare_backtrace();
  platform::handle_crashes(tell);
}

}  // namespace bulkhead::worker
