// The shared memory of one worker: a header, hints, two rings, the slots of its calls, and
// what it leaves when it crashes.
//
// The app creates it and passes its name; the worker opens it; then the app removes the name. The
// app uses only its own copy of the layout: the header is there for the worker to check.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "ipc/crash_note.hpp"
#include "ipc/ring_memory.hpp"
#include "ipc/shared_object.hpp"

namespace bulkhead::ipc {

struct SegmentLayout {
  std::uint32_t slots = 1024;          // calls that can be under way at once
  std::uint64_t ring_bytes = 262'144;  // of each ring: a power of two, 4 KiB to 4 GiB
};

// Advice from one side to the other. Wrong values cost time, nothing else.
struct Hints {
  // The core that a side was last seen on, plus one; 0 before it was seen.
  alignas(cache_line) std::atomic<std::uint32_t> app_core;
  // How long the worker may spin at most. The app lowers it to 0 when cores are scarce.
  std::atomic<std::uint32_t> worker_spin_limit_ns;
  // How often handlers were asked to stop. A thread of the worker sleeps until it changes.
  std::atomic<std::uint32_t> stops;
  // How often the worker is to beat; 0: it need not.
  std::atomic<std::uint32_t> beat_every_ms;
  alignas(cache_line) std::atomic<std::uint32_t> worker_core;
  // How often it has.
  alignas(cache_line) std::atomic<std::uint32_t> beats;
};

class Segment {
 public:
  static std::string new_name() { return SharedObject::new_name(); }
  // Throws std::invalid_argument for a layout that makes no sense, else as SharedObject does.
  static Segment create(const SegmentLayout& layout = {}, const std::string& name = new_name());
  // Throws std::system_error with EPROTO if the object is not a segment of this version.
  static Segment open(const std::string& name);

  // As SharedObject::remove: for the worker, once it has opened it, and for whoever cleans up.
  static void remove(const std::string& name) noexcept { SharedObject::remove(name); }

  const std::string& name() const { return object_.name(); }
  void unlink() noexcept { object_.unlink(); }

  const SegmentLayout& layout() const { return layout_; }
  std::span<std::atomic<std::uint64_t>> slots() const;
  // For each buffer that a worker can make: how many of its sendings the app is done with.
  static constexpr std::size_t buffers = 1024;
  std::span<std::atomic<std::uint32_t>> releases() const;
  Hints& hints() const;
  CrashNote& crash_note() const;
  RingMemory to_worker() const;
  RingMemory to_app() const;

 private:
  Segment(SharedObject object, const SegmentLayout& layout)
      : object_(std::move(object)), layout_(layout) {}

  SharedObject object_;
  SegmentLayout layout_;
};

}  // namespace bulkhead::ipc
