#include "faults/service/forge_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "faults/service/handlers.hpp"
#include "faults/service/own_segment.hpp"
#include "ipc/channel_memory.hpp"

namespace bulkhead::test {

namespace {

// The memory of the only channel that this process has, found in its memory map.
ipc::RingMemory own_channel() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:bulkhead") == line.npos || line.find("rw-s") == line.npos) continue;
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    auto* const control = reinterpret_cast<ipc::ChannelControl*>(begin);
    return {&control->ring, reinterpret_cast<std::byte*>(begin + 4096), end - begin - 4096};
  }
  throw std::runtime_error("this process has no channel");
}

// Writes a frame, and publishes it.
void publish(const ipc::RingMemory& ring, const ipc::FrameHeader& header,
             std::uint64_t payload = ~std::uint64_t{}) {
  const std::uint64_t tail = ring.control->tail.load();
  std::byte* const at = ring.data + (tail & (ring.capacity - 1));
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, &payload, sizeof payload);
  ring.control->tail.store(tail + ipc::framed_size(header.size & 0xffff));
}

// The connection's bells as well: that does no harm.
void ring_all() {
  for (const int socket : own_sockets()) static_cast<void>(::send(socket, "!", 1, MSG_DONTWAIT));
}

std::vector<int> bells_of_connection;

int bell_of_channel() {
  for (const int socket : own_sockets())
    if (std::find(bells_of_connection.begin(), bells_of_connection.end(), socket) ==
        bells_of_connection.end())
      return socket;
  throw std::runtime_error("this process has no channel");
}

}  // namespace

void note_bells_of_connection() { bells_of_connection = own_sockets(); }

void forge_channel(ForgeChannel request) {
  const ipc::RingMemory ring = own_channel();
  auto& control = *reinterpret_cast<ipc::ChannelControl*>(ring.control);
  const auto mark = ipc::frame_mark;
  constexpr std::uint32_t part = 8192;
  switch (request.bad) {
    case BadChannel::none:
    case BadChannel::count:
      return;
    case BadChannel::head_ahead:
      ring.control->head += 64 * 1024;
      break;
    case BadChannel::taken_ahead:
      control.taken += 1000;
      break;
    case BadChannel::taken_back:
      control.taken -= 1000;
      break;
    case BadChannel::tail_ahead:
      ring.control->tail += 2 * ring.capacity;
      break;
    case BadChannel::tail_unaligned:
      ++ring.control->tail;
      break;
    case BadChannel::frame_without_mark:
      publish(ring, {8, 0});
      break;
    case BadChannel::frame_too_large:
      publish(ring, {0xffff'0008, mark});
      break;
    case BadChannel::empty_parts:
      for (int i = 0; i < 8; ++i) publish(ring, {0, mark | ipc::more});
      break;
    case BadChannel::too_much:
      for (;;) {  // until it is ended
        const auto used = ring.control->tail - ring.control->head;
        if (used + ipc::framed_size(part) <= ring.capacity)
          publish(ring, {part, mark | ipc::more});
        else
          ring_all();
      }
    case BadChannel::no_item:
      publish(ring, {9, mark});
      break;
    case BadChannel::left_in_an_item:
      publish(ring, {8, mark | ipc::more});
      control.sender_left = static_cast<std::uint32_t>(ipc::Leave::closed);
      break;
    case BadChannel::left_somehow:
      control.sender_left = 77;
      break;
    case BadChannel::everything:
      std::memset(static_cast<void*>(&control), 0x5a, sizeof control);
      break;
    case BadChannel::closed_bell:
      ::close(bell_of_channel());
      break;
  }
  ring_all();
  wait_for_ever();
}

}  // namespace bulkhead::test
