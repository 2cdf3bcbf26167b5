#include "faults/service/own_segment.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bulkhead::test {

OwnSegment::OwnSegment() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/bulkhead-") == line.npos) continue;
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    begin_ = reinterpret_cast<std::byte*>(begin);
    size_ = end - begin;
  }
  if (!begin_) throw std::runtime_error("this process has no segment");
  slots_ = preamble().slots;
  ring_bytes_ = preamble().ring_bytes;
}

std::span<std::uint64_t> OwnSegment::slots() const {
  return {reinterpret_cast<std::uint64_t*>(begin_ + sizeof(Preamble)), slots_};
}

std::span<std::uint64_t> OwnSegment::answer_data() const {
  return {reinterpret_cast<std::uint64_t*>(begin_ + size_ - ring_bytes_),
          ring_bytes_ / sizeof(std::uint64_t)};
}

std::span<std::uint64_t> OwnSegment::everything() const {
  return {reinterpret_cast<std::uint64_t*>(begin_), size_ / sizeof(std::uint64_t)};
}

std::span<std::uint64_t> OwnSegment::crash_note() const {
  constexpr std::size_t releases = ipc::Segment::buffers * sizeof(std::uint32_t);
  auto* const slots_end = reinterpret_cast<std::byte*>(slots().data() + slots().size());
  return {reinterpret_cast<std::uint64_t*>(slots_end + releases),
          sizeof(ipc::CrashNote) / sizeof(std::uint64_t)};
}

void OwnSegment::publish(std::span<const std::byte> payload, std::uint32_t flags) const {
  const auto data = std::as_writable_bytes(answer_data());
  const std::uint64_t tail = answers().tail.load();
  const ipc::FrameHeader header{static_cast<std::uint32_t>(payload.size()),
                                ipc::frame_mark | flags};
  const auto put_byte = [&](std::size_t at, std::byte byte) {
    data[(tail + at) & (data.size() - 1)] = byte;
  };
  const auto head = std::as_bytes(std::span(&header, 1));
  for (std::size_t i = 0; i < head.size(); ++i) put_byte(i, head[i]);
  for (std::size_t i = 0; i < payload.size(); ++i) put_byte(head.size() + i, payload[i]);
  answers().tail.store(tail + ipc::framed_size(payload.size()));
}

rpc::Head OwnSegment::head_of_answer(std::uint64_t id, std::uint32_t request) const {
  rpc::Head head{
      .id = id, .kind = rpc::Kind::response, .request = static_cast<std::uint16_t>(request)};
  // Slots keep what was begun last: the newest is the call that runs.
  const auto words = slots();
  for (std::size_t slot = 0; slot < words.size(); ++slot) {
    const rpc::Ticket ticket = words[slot] >> 2;
    if (words[slot] != rpc::slot_word::begun(ticket) || ticket <= head.ticket) continue;
    head.slot = static_cast<rpc::Slot>(slot);
    head.ticket = ticket;
  }
  return head;
}

std::vector<int> own_sockets(int wanted) {
  std::vector<int> sockets;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int number = std::stoi(entry.path().filename());
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == wanted)
      sockets.push_back(number);
  }
  return sockets;
}

}  // namespace bulkhead::test
