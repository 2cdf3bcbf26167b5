// The app's end of a connection, and a peer that writes anything into the memory that they share.
#pragma once

#include <cstring>
#include <optional>

#include "rpc/ends.hpp"

namespace bulkhead::test {

inline constexpr std::size_t max_message = 1000;

// Knows the format, and keeps no rule of it.
class Peer {
 public:
  explicit Peer(const ipc::Segment& segment)
      : slots(segment.slots()), in_(segment.to_worker()), out_(segment.to_app()) {}

  // Reads the next request, without taking it up.
  std::optional<rpc::Head> read() {
    Bytes bytes;
    ipc::Read got;
    while ((got = in_.read(bytes)) == ipc::Read::part) {
    }
    if (got != ipc::Read::frame || bytes.size() < sizeof(rpc::Head)) return std::nullopt;
    rpc::Head head;
    std::memcpy(&head, bytes.data(), sizeof head);
    return head;
  }
  // The answer that a good worker would give.
  static rpc::Head answer(rpc::Head request, std::uint64_t size = 0) {
    request.kind = rpc::Kind::response;
    request.size = size;
    return request;
  }
  bool write(std::span<const std::byte> frame, std::uint32_t flags = 0) {
    return out_.try_write({}, frame, flags) == ipc::Write::done;
  }
  bool write(const rpc::Head& head, const Bytes& body = {}, std::uint32_t flags = 0) {
    return out_.try_write(std::as_bytes(std::span(&head, std::size_t{1})), body, flags) ==
           ipc::Write::done;
  }

  const std::span<std::atomic<std::uint64_t>> slots;

 private:
  ipc::RingReader in_;
  ipc::RingWriter out_;
};

struct HostileEnds {
  AppSide side{{.slots = 8, .ring_bytes = 4096, .max_message = max_message}};
  rpc::AppEnd& app = *side.app;
  Peer peer{*side.peer};
  rpc::AppEnd::Message message = {};

  rpc::Head given(rpc::CallId id) {
    app.hand_over(call(id));
    return peer.read().value();
  }
  rpc::AppEnd::Received receive() { return app.receive(message); }
};

}  // namespace bulkhead::test
