#include "ipc/doorbell.hpp"

#include <array>

#include "platform/socket.hpp"
#include "platform/stream.hpp"

namespace bulkhead::ipc {

std::pair<Doorbell, Doorbell> Doorbell::make() {
  platform::SocketPair pair = platform::stream_pair();
  return {Doorbell(std::move(pair.ours)), Doorbell(std::move(pair.theirs))};
}

void Doorbell::ring() const noexcept {
  constexpr std::array<std::byte, 1> stroke{};
  platform::send_now(end_, stroke);
}

Bell Doorbell::drain() const {
  std::array<std::byte, 256> heard;
  switch (platform::receive_now(end_, heard).io) {
    case platform::Io::done:
      return Bell::rung;
    case platform::Io::would_block:
      return Bell::quiet;
    case platform::Io::end:
      break;
  }
  return Bell::closed;
}

bool Doorbell::wait(Deadline deadline) const { return platform::wait_readable(end_, deadline); }

}  // namespace bulkhead::ipc
