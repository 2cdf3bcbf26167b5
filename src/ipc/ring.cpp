#include "ipc/ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "platform/fault.hpp"

namespace bulkhead::ipc {
namespace {

constexpr auto seq_cst = std::memory_order_seq_cst;

// The header goes through shared memory as one word: it cannot change between two looks at it.
std::atomic_ref<std::uint64_t> header_word(const RingMemory& ring, std::uint64_t position) {
  std::byte* const at = ring.data + (position & (ring.capacity - 1));
  return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at));
}

// How much of [position, position + size) lies before the end of the data.
std::size_t before_wrap(const RingMemory& ring, std::uint64_t position, std::size_t size) {
  return std::min<std::size_t>(size, ring.capacity - (position & (ring.capacity - 1)));
}

// Both words may lie: then a bell rings too often, or where nobody hears it, and the liar sleeps
// too long.
std::uint32_t take_sleeper(std::atomic<std::uint32_t>& sleeps) {
  return sleeps.load(seq_cst) == 0 ? 0 : sleeps.exchange(0, seq_cst);
}

}  // namespace

std::size_t RingWriter::room() {
  load_head();
  if (violated_ || free() < sizeof(FrameHeader)) return 0;
  return std::min<std::size_t>(free() - sizeof(FrameHeader), largest_payload());
}

bool RingWriter::has_room(std::size_t payload) {
  if (free() < framed_size(payload)) load_head();
  return !violated_ && free() >= framed_size(payload);
}

bool RingWriter::has_room_for_message(std::size_t size) {
  const std::uint64_t whole = framed_message(size, ring_.capacity);
  if (free() < whole) load_head();
  return !violated_ && free() >= whole;
}

Write RingWriter::try_write(std::span<const std::byte> head, std::span<const std::byte> body,
                            std::uint32_t flags) {
  const std::size_t size = head.size() + body.size();
  if (size > largest_payload()) throw std::length_error("this frame is too large for its ring");
  if (!has_room(size)) return violated_ ? Write::violation : Write::full;

  const FrameHeader header{static_cast<std::uint32_t>(size), frame_mark | flags};
  header_word(ring_, tail_).store(std::bit_cast<std::uint64_t>(header), std::memory_order_relaxed);
  copy_in(tail_ + sizeof header, head);
  copy_in(tail_ + sizeof header + head.size(), body);
  tail_ += framed_size(size);
  platform::fault_point("ring.before_publish");
  ring_.control->tail.store(tail_, seq_cst);
  return Write::done;
}

std::optional<Ear> RingWriter::must_wake_reader() {
  const std::uint32_t ear = take_sleeper(ring_.control->reader_sleeps);
  if (ear == 0) return std::nullopt;
  return Ear{ear} == Ear::direct ? Ear::direct : Ear::usual;
}

bool RingWriter::prepare_sleep(std::size_t payload) {
  ring_.control->writer_sleeps.store(1, seq_cst);
  if (!has_room(payload) && !violated_) return false;
  cancel_sleep();
  return true;
}

void RingWriter::cancel_sleep() {
  ring_.control->writer_sleeps.store(0, std::memory_order_relaxed);
}

void RingWriter::load_head() {
  const std::uint64_t head = ring_.control->head.load(seq_cst);
  // It must lie in [head_, tail_]: it only moves forwards, and never past what was written.
  if (tail_ - head > tail_ - head_ || head % cache_line != 0) violated_ = true;
  if (!violated_) head_ = head;
}

void RingWriter::copy_in(std::uint64_t position, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;  // its pointer may be null
  const std::size_t first = before_wrap(ring_, position, bytes.size());
  std::memcpy(ring_.data + (position & (ring_.capacity - 1)), bytes.data(), first);
  if (first < bytes.size()) std::memcpy(ring_.data, bytes.data() + first, bytes.size() - first);
}

Read RingReader::read(Buffer& out) {
  if (!ready()) return Read::empty;
  if (violated_) return Read::violation;

  const FrameHeader header = load_header();
  const std::uint64_t size = framed_size(header.size);
  if (header.size > largest_payload(ring_.capacity) || size > tail_ - head_ ||
      (header.flags & ~more) != frame_mark) {
    violated_ = true;
    return Read::violation;
  }
  copy_out(head_ + sizeof header, header.size, out);
  head_ += size;
  tells_room_ = head_ - told_ >= ring_.capacity / 2;
  if (tells_room_) told_ = head_;
  ring_.control->head.store(head_, tells_room_ ? seq_cst : std::memory_order_release);
  return header.flags & more ? Read::part : Read::frame;
}

bool RingReader::take_sleeping_writer() { return take_sleeper(ring_.control->writer_sleeps) != 0; }

bool RingReader::ready() {
  if (tail_ == head_) load_tail();
  return tail_ != head_ || violated_;
}

bool RingReader::prepare_sleep(Ear ear) {
  ring_.control->reader_sleeps.store(static_cast<std::uint32_t>(ear), seq_cst);
  if (!ready()) return false;
  cancel_sleep();
  return true;
}

// Stored only where it was said: the writer then has the line in its cache.
void RingReader::cancel_sleep() {
  auto& sleeps = ring_.control->reader_sleeps;
  if (sleeps.load(std::memory_order_relaxed) != 0) sleeps.store(0, std::memory_order_relaxed);
}

void RingReader::load_tail() {
  const std::uint64_t tail = ring_.control->tail.load(seq_cst);
  // It must lie in [head_, head_ + capacity]; a tail that moved backwards is far beyond.
  if (tail - head_ > ring_.capacity || tail % cache_line != 0) violated_ = true;
  if (!violated_) tail_ = tail;
}

FrameHeader RingReader::load_header() const {
  return std::bit_cast<FrameHeader>(header_word(ring_, head_).load(std::memory_order_relaxed));
}

void RingReader::copy_out(std::uint64_t position, std::size_t size, Buffer& out) const {
  if (size == 0) return;  // the buffer's pointer may be null
  const std::size_t first = before_wrap(ring_, position, size);
  const std::size_t before = out.size();
  out.resize(before + size);
  std::memcpy(out.data() + before, ring_.data + (position & (ring_.capacity - 1)), first);
  if (first < size) std::memcpy(out.data() + before + first, ring_.data, size - first);
}

}  // namespace bulkhead::ipc
