#include "ipc/doorbell.hpp"

#include <array>

#include "platform/socket.hpp"
#include "platform/stream.hpp"

namespace bulkhead::ipc {
namespace {

constexpr std::array<std::byte, 1> stroke{};

Bell what_came(const platform::ReadResult& result) {
  switch (result.io) {
    case platform::Io::done:
      return Bell::rung;
    case platform::Io::would_block:
      return Bell::quiet;
    case platform::Io::end:
      break;
  }
  return Bell::closed;
}

}  // namespace

std::pair<Doorbell, Doorbell> Doorbell::make() {
  platform::SocketPair usual = platform::stream_pair(), direct = platform::stream_pair();
  Doorbell app(std::move(usual.ours), std::move(direct.ours));
  app.nudge_ = platform::duplicate(direct.theirs);
  return {std::move(app), Doorbell(std::move(usual.theirs), std::move(direct.theirs))};
}

void Doorbell::ring(Ear ear) const noexcept {
  platform::send_now(ear == Ear::direct ? direct_ : usual_, stroke);
}

void Doorbell::nudge() const noexcept { platform::send_now(nudge_, stroke); }

void Doorbell::hang_up() const noexcept {
  platform::hang_up(usual_);
  platform::hang_up(direct_);
}

Doorbell Doorbell::duplicate() const {
  return {platform::duplicate(usual_), platform::duplicate(direct_)};
}

Bell Doorbell::drain() const {
  std::array<std::byte, 256> heard;
  return what_came(platform::receive_now(usual_, heard));
}

Bell Doorbell::hear(Deadline deadline, Ear ear) const {
  const platform::Fd& fd = ear == Ear::direct ? direct_ : usual_;
  std::array<std::byte, 256> heard;
  if (!deadline) return what_came(platform::receive_waiting(fd, heard));
  if (!platform::wait_readable(fd, deadline)) return Bell::quiet;
  return what_came(platform::receive_now(fd, heard));
}

}  // namespace bulkhead::ipc
