#include "ipc/crash_note.hpp"

#include <atomic>
#include <bit>
#include <csignal>
#include <type_traits>

namespace bulkhead::ipc {
namespace {

using Word = std::uint64_t;
static_assert(std::is_trivially_copyable_v<CrashNote> && sizeof(CrashNote) % sizeof(Word) == 0);

Word load(const Word& shared) noexcept {
  return std::atomic_ref(const_cast<Word&>(shared)).load(std::memory_order_acquire);
}

void store(Word& shared, Word value) noexcept {
  std::atomic_ref(shared).store(value, std::memory_order_release);
}

// Each word is loaded once.
template <class Value, class Shared>
Value copy(const Shared& shared) {
  std::array<Word, sizeof(Value) / sizeof(Word)> words;
  const auto* from = reinterpret_cast<const Word*>(&shared);
  for (Word& word : words) word = load(*from++);
  return std::bit_cast<Value>(words);
}

}  // namespace

void begin_note(CrashNote& shared, int signal) noexcept {
  store(shared.signal, static_cast<Word>(signal));
}

bool add_to_note(CrashNote& shared, const platform::Frame& frame) noexcept {
  const Word count = load(shared.frame_count);
  if (count >= CrashNote::most_frames) return false;
  shared.frames[count] = frame;
  store(shared.frame_count, count + 1);
  return count + 1 < CrashNote::most_frames;
}

void end_note(CrashNote& shared, const rusage& usage) noexcept {
  shared.usage = std::bit_cast<decltype(shared.usage)>(usage);
  store(shared.ends, 1);
}

bool says_end(const CrashNote& shared) noexcept { return load(shared.ends) != 0; }

std::optional<NotedCrash> read_note(const CrashNote& shared) {
  const Word signal = load(shared.signal), count = load(shared.frame_count);
  if (signal == 0 || signal >= Word{_NSIG} || count > CrashNote::most_frames) return std::nullopt;
  NotedCrash crash{
      .signal = static_cast<int>(signal), .frames = {}, .usage = copy<rusage>(shared.usage)};
  crash.frames.reserve(CrashNote::most_frames);
  for (Word i = 0; i < count; ++i) crash.frames.push_back(copy<platform::Frame>(shared.frames[i]));
  return crash;
}

}  // namespace bulkhead::ipc
