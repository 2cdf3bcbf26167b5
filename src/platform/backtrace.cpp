#include "platform/backtrace.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unwind.h>

#include <algorithm>

namespace bulkhead::platform {
namespace {

void name_module(Frame& frame, const char* path) {
  const bool program = *path == '\0';
  struct stat file {};
  if (::stat(program ? "/proc/self/exe" : path, &file) != 0) return;
  frame.device = file.st_dev;
  frame.inode = file.st_ino;
  if (program) path = program_invocation_name;
  if (const char* const slash = ::strrchr(path, '/')) path = slash + 1;
  const std::size_t size = ::strlen(path);
  path += size - std::min(size, frame.name.size());
  std::copy_n(path, std::min(size, frame.name.size()), frame.name.begin());
}

// Takes no locks, unlike dladdr.
Frame frame_at(std::uint64_t pc) {
  Frame frame{.pc = pc};
  dl_find_object object{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is all that there is of it
  if (::_dl_find_object(reinterpret_cast<void*>(pc), &object) != 0) return frame;
  frame.base = object.dlfo_link_map->l_addr;
  name_module(frame, object.dlfo_link_map->l_name);
  return frame;
}

std::uint64_t interrupted_at(const void* context) {
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uint64_t>(registers.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return registers.pc;
#else
#error "where is the program counter?"
#endif
}

struct Walk {
  OnFrame on_frame;
  void* data;
  bool interrupted = false;  // it has come to what the signal interrupted, which is told already
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  int runs = 0;  // it does not call
  const std::uint64_t pc = _Unwind_GetIPInfo(context, &runs);
  if (!walk.interrupted) {
    walk.interrupted = runs != 0;
    return _URC_NO_REASON;
  }
  if (pc == 0) return _URC_END_OF_STACK;
  const bool more = walk.on_frame(walk.data, frame_at(runs != 0 ? pc : pc - 1));
  return more ? _URC_NO_REASON : _URC_END_OF_STACK;
}

}  // namespace

void prepare_backtrace() {
  const auto stop = [](_Unwind_Context*, void*) { return _URC_NORMAL_STOP; };
  _Unwind_Backtrace(stop, nullptr);
}

// What was interrupted is told first: unwinding it may crash.
void walk_interrupted(const void* context, OnFrame on_frame, void* data) {
  if (!on_frame(data, frame_at(interrupted_at(context)))) return;
  Walk walk{on_frame, data};
  _Unwind_Backtrace(step, &walk);
}

}  // namespace bulkhead::platform
