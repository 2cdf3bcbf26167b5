#include "ipc/segment.hpp"

#include <bit>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include "ipc/spin.hpp"

namespace bulkhead::ipc {
namespace {

constexpr std::uint64_t magic = 0x6461'6568'6b6c'7562;  // "bulkhead"
constexpr std::uint32_t version = 3;
constexpr std::uint64_t page = 4096;

// What every segment begins with. The slots, the releases and the crash note follow; the data of
// the rings begins on a new page.
struct Preamble {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slots;
  std::uint64_t ring_bytes;
  Hints hints;
  RingControl to_worker;
  RingControl to_app;
};

using Slot = std::atomic<std::uint64_t>;
using Release = std::atomic<std::uint32_t>;

Preamble& preamble(const SharedObject& object) {
  return *reinterpret_cast<Preamble*>(object.data());
}

bool makes_sense(const SegmentLayout& layout) {
  return layout.slots > 0 && std::has_single_bit(layout.ring_bytes) && layout.ring_bytes >= page &&
         layout.ring_bytes <= std::uint64_t{1} << 32;
}

std::uint64_t releases_offset(const SegmentLayout& layout) {
  return sizeof(Preamble) + layout.slots * sizeof(Slot);
}

std::uint64_t note_offset(const SegmentLayout& layout) {
  const std::uint64_t used = releases_offset(layout) + Segment::buffers * sizeof(Release);
  return (used + alignof(CrashNote) - 1) / alignof(CrashNote) * alignof(CrashNote);
}

std::uint64_t data_offset(const SegmentLayout& layout) {
  const std::uint64_t used = note_offset(layout) + sizeof(CrashNote);
  return (used + page - 1) / page * page;
}

std::uint64_t total_size(const SegmentLayout& layout) {
  return data_offset(layout) + 2 * layout.ring_bytes;
}

}  // namespace

Segment Segment::create(const SegmentLayout& layout, const std::string& name) {
  if (!makes_sense(layout))
    throw std::invalid_argument(
        "a segment needs slots, and rings of a power of two from 4 KiB to 4 GiB");
  SharedObject object = SharedObject::create(name, total_size(layout));
  auto* const shared = new (object.data()) Preamble{};
  shared->magic = magic;
  shared->version = version;
  shared->slots = layout.slots;
  shared->ring_bytes = layout.ring_bytes;
  shared->hints.worker_spin_limit_ns = static_cast<std::uint32_t>(SpinPolicy::longest.count());
  return {std::move(object), layout};
}

Segment Segment::open(const std::string& name) {
  SharedObject object = SharedObject::open(name);
  SegmentLayout layout{0, 0};
  if (object.size() >= sizeof(Preamble)) {
    const Preamble& shared = preamble(object);
    if (shared.magic == magic && shared.version == version)
      layout = {shared.slots, shared.ring_bytes};
  }
  if (!makes_sense(layout) || object.size() != total_size(layout))
    throw std::system_error(
        EPROTO, std::generic_category(),
        "the shared memory object " + name + " is not a segment of this version of the library");
  return {std::move(object), layout};
}

std::span<std::atomic<std::uint64_t>> Segment::slots() const {
  return {reinterpret_cast<Slot*>(object_.data() + sizeof(Preamble)), layout_.slots};
}

std::span<std::atomic<std::uint32_t>> Segment::releases() const {
  return {reinterpret_cast<Release*>(object_.data() + releases_offset(layout_)), buffers};
}

Hints& Segment::hints() const { return preamble(object_).hints; }

CrashNote& Segment::crash_note() const {
  return *reinterpret_cast<CrashNote*>(object_.data() + note_offset(layout_));
}

RingMemory Segment::to_worker() const {
  return {&preamble(object_).to_worker, object_.data() + data_offset(layout_), layout_.ring_bytes};
}

RingMemory Segment::to_app() const {
  return {&preamble(object_).to_app, object_.data() + data_offset(layout_) + layout_.ring_bytes,
          layout_.ring_bytes};
}

}  // namespace bulkhead::ipc
